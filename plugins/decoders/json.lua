-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# JSON: one object becomes one message

Keys with the name of a header become that header; all others become Fields. Objects inside are flattened, their keys joined
with a dot; an array of strings, of numbers or of booleans becomes an array field; any other array is kept as its JSON text
(representation "json"). `null` is left out.

    {"Type":"login","user":{"id":7,"name":"ann"},"tags":["a","b"]}
    -> Type = "login", Fields["user.id"] = 7, Fields["user.name"] = "ann", Fields.tags = {"a","b"}

A `Timestamp` is nanoseconds when it is a number, or an RFC 3339 text in UTC ("2026-03-11T22:14:15.5Z").

## Configuration

```lua
decoder_module = "decoders.json"
decoders_json  = { separator = ".", max_depth = 16, keep_payload = false }
```

| key | meaning | default |
|---|---|---|
| separator | joins the keys of nested objects | "." |
| max_depth | objects nested deeper are an error | 16 |
| keep_payload | the JSON text becomes the Payload when it has none | false |
--]]

local rjson  = require "rjson"
local math   = require "math"
local string = require "string"

local floor, format, match = math.floor, string.format, string.match
local parse = rjson.parse
local inject_message = inject_message
local read_config    = read_config
local error, pairs, pcall, tonumber, type = error, pairs, pcall, tonumber, type

local cfg          = read_config("decoders_json") or {}
local separator    = cfg.separator or "."
local max_depth    = cfg.max_depth or 16
local keep_payload = cfg.keep_payload

local HEADERS = { Uuid = "string", Timestamp = "time", Type = "string", Logger = "string", Severity = "number",
                  Payload = "string", EnvVersion = "string", Pid = "number", Hostname = "string" }
local SCALARS = { string = true, number = true, boolean = true }

local M = {}
setfenv(1, M)

local function timestamp(v)
    if type(v) == "number" then return v end
    if type(v) ~= "string" then return nil end
    local y, mo, d, h, mi, s, fraction =
        match(v, "^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt ](%d%d):(%d%d):(%d%d)(%.?%d*)[Zz]?$")
    if not y then return nil end
    y, mo, d, h, mi, s = tonumber(y), tonumber(mo), tonumber(d), tonumber(h), tonumber(mi), tonumber(s)
    if mo < 1 or mo > 12 or d < 1 or d > 31 or h > 23 or mi > 59 or s > 60 then return nil end
    if mo <= 2 then y = y - 1 end
    local era = floor(y / 400)
    local yoe = y - era * 400
    local doe = yoe * 365 + floor(yoe / 4) - floor(yoe / 100) + floor((153 * ((mo + 9) % 12) + 2) / 5) + d - 1
    local whole = (era * 146097 + doe - 719468) * 86400 + h * 3600 + mi * 60 + s
    return whole * 1e9 + (tonumber("0" .. fraction) or 0) * 1e9
end

local function set_header(msg, name, kind, v)
    if kind == "time" then
        v, kind = timestamp(v), "number"
    end
    if type(v) ~= kind then return false end
    msg[name] = v
    return true
end

-- The items, if all are scalars of one type, so that they can be one field; nil otherwise.
local function uniform(doc, array)
    local items, kind
    for i, item in doc:iter(array) do
        local found = doc:type(item)
        if not SCALARS[found] or (kind and found ~= kind) then return nil end
        items, kind = items or {}, found
        items[i + 1] = doc:value(item)
    end
    return items
end

-- What becomes the value of a field.
local function field(doc, value, kind)
    if kind == "array" then return uniform(doc, value) or doc:make_field(value) end
    return doc:value(value)
end

local function set_members(doc, members, depth, prefix, msg)
    for key, value in members do
        local kind = doc:type(value)
        local header = prefix == "" and HEADERS[key]
        if kind == "object" then
            if depth >= max_depth then error(format("objects are nested deeper than %d levels", max_depth), 0) end
            set_members(doc, doc:iter(value), depth + 1, prefix .. key .. separator, msg)
        elseif kind ~= "null" and not (header and SCALARS[kind] and set_header(msg, key, header, doc:value(value))) then
            msg.Fields[prefix .. key] = field(doc, value, kind)
        end
    end
end

local function build(data, default_headers)
    local doc = parse(data)
    if doc:type() ~= "object" then error("expected a JSON object", 0) end
    local msg = { Fields = {} }
    if default_headers then
        for k, v in pairs(default_headers) do
            if k ~= "Fields" then msg[k] = v end
        end
        if type(default_headers.Fields) == "table" then
            for k, v in pairs(default_headers.Fields) do msg.Fields[k] = v end
        end
    end
    set_members(doc, doc:iter(), 1, "", msg)
    if keep_payload and not msg.Payload then msg.Payload = data end
    return msg
end

function decode(data, default_headers, mutable)
    local ok, msg = pcall(build, data, default_headers)
    if not ok then return msg end
    inject_message(msg)
end

return M
