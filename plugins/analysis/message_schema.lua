-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Message schema: which headers and Fields the messages have

Gathers, for every combination of Logger and Type, the headers and Fields that occur, their value types and
representations, and how often, and shows them as a text (payload type "txt", name "message_schema"). A Field that
is not in every message is marked as optional.

## Sample configuration

```lua
filename         = "message_schema.lua"
message_matcher  = "TRUE"
ticker_interval  = 60
preserve_data    = false
-- schemas_max = 1000    -- combinations of Logger and Type that are kept; further ones are only counted
-- fields_max = 500      -- Fields per combination that are kept; further ones are only counted
```
--]]

require "string"
require "table"

local schemas_max = read_config("schemas_max") or 1000
local fields_max  = read_config("fields_max") or 500

local HEADERS = { "EnvVersion", "Hostname", "Payload", "Pid" }
local VALUE_TYPES = { [0] = "string", "bytes", "integer", "double", "bool" }

local schemas, n_schemas, n_more = {}, 0, 0

local function schema_of(logger, type_)
    local key = logger .. "\t" .. type_
    local schema = schemas[key]
    if schema then return schema end
    if n_schemas >= schemas_max then
        n_more = n_more + 1
        return nil
    end
    n_schemas = n_schemas + 1
    schema = { logger = logger, type = type_, count = 0, headers = {}, fields = {}, n_fields = 0, more = 0 }
    schemas[key] = schema
    return schema
end

local function add_field(schema, field)
    local kind = VALUE_TYPES[field.value_type or 0] or "unknown"
    local key = field.name .. "\t" .. kind .. "\t" .. (field.representation or "")
    local seen = schema.fields[key]
    if not seen then
        if schema.n_fields >= fields_max then
            schema.more = schema.more + 1
            return
        end
        schema.n_fields = schema.n_fields + 1
        seen = { name = field.name, kind = kind, representation = field.representation, count = 0, array = false }
        schema.fields[key] = seen
    end
    seen.count = seen.count + 1
    if type(field.value) == "table" and #field.value > 1 then seen.array = true end
end

function process_message()
    local msg = decode_message(read_message("raw"))
    local schema = schema_of(msg.Logger or "", msg.Type or "")
    if not schema then return 0 end
    schema.count = schema.count + 1
    for _, header in ipairs(HEADERS) do
        if msg[header] ~= nil then schema.headers[header] = (schema.headers[header] or 0) + 1 end
    end
    for _, field in ipairs(msg.Fields or {}) do add_field(schema, field) end
    return 0
end

local function sorted(t)
    local keys = {}
    for key in pairs(t) do keys[#keys + 1] = key end
    table.sort(keys)
    return keys
end

local function optional(count, total)
    if count < total then return string.format(" optional (%d)", count) end
    return ""
end

function timer_event(ns, shutdown)
    for _, key in ipairs(sorted(schemas)) do
        local schema = schemas[key]
        add_to_payload("Logger: ", schema.logger, "  Type: ", schema.type, "  (", schema.count, " messages)\n")
        for _, header in ipairs(sorted(schema.headers)) do
            add_to_payload("    ", header, optional(schema.headers[header], schema.count), "\n")
        end
        for _, name in ipairs(sorted(schema.fields)) do
            local field = schema.fields[name]
            add_to_payload("    Fields[", field.name, "] ", field.kind, field.array and "[]" or "")
            if field.representation then add_to_payload(" representation ", field.representation) end
            add_to_payload(optional(field.count, schema.count), "\n")
        end
        if schema.more > 0 then add_to_payload("    and ", schema.more, " values of further Fields\n") end
    end
    if n_more > 0 then add_to_payload("and ", n_more, " messages of further combinations\n") end
    inject_payload("txt", "message_schema")
end
