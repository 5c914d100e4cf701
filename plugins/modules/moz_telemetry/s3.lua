-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Dimensions of a lake: which folders a message's object lies in

A file of dimensions is a JSON document; the dimensions, in their order, are the folders:

```json
{"version": 1, "dimensions": [
    {"field_name": "submissionDate", "allowed_values": {"min": "20260101", "max": "20261231"}},
    {"field_name": "docType",        "allowed_values": ["main", "crash"]},
    {"header_name": "Type",          "allowed_values": "telemetry"},
    {"field_name": "appVersion",     "allowed_values": "*"},
    {"field_name": "experimentId",   "allowed_values": "*", "is_variable": true}
]}
```

`field_name` is a Field of the message, `header_name` one of its headers, and a Field that `is_variable` comes from the
plugin. Values are compared as text, also those of a range.

## Functions

- `validate_dimensions(file)`: the array of dimensions, each with `field_name` as `read_message` wants it, `matcher_type`
  ("wildcard", "string", "list" or "minmax") and `matcher(value)`; an error when the file is none.
- `sanitize_dimension(value)`: the value as it stands in a path: whatever is no letter, digit, `_` or `.` becomes `_`.
- `read_dimension(dimension[, variables])`: that of the current message; `UNKNOWN` if it has none, `OTHER` if it is not
  allowed.
--]]

local cjson  = require "cjson"
local io     = require "io"
local string = require "string"

local assert, error, ipairs, tostring, type = assert, error, ipairs, tostring, type
local read_message = read_message

local HEADERS = {
    Uuid = true, Timestamp = true, Type = true, Logger = true, Severity = true, Payload = true, EnvVersion = true,
    Pid = true, Hostname = true,
}

local M = {}
setfenv(1, M)

function sanitize_dimension(value)
    if value == nil then return nil end
    return (string.gsub(tostring(value), "[^a-zA-Z0-9_.]", "_"))
end

-- What read_message calls it.
local function source(dimension)
    if dimension.header_name then
        if dimension.is_variable ~= nil then error("is_variable flag cannot be set on headers") end
        if not HEADERS[dimension.header_name] then error("invalid header name " .. tostring(dimension.header_name)) end
        return dimension.header_name
    end
    if type(dimension.field_name) ~= "string" then error("a dimension must have a field_name or a header_name") end
    if dimension.is_variable then return dimension.field_name end
    return string.format("Fields[%s]", dimension.field_name)
end

local function of_text(allowed)
    if allowed == "*" then return "wildcard", function() return true end end
    local wanted = sanitize_dimension(allowed)
    return "string", function(value) return value == wanted end, wanted
end

local function of_list(allowed, name)
    local wanted, list = {}, {}
    for i, value in ipairs(allowed) do
        if type(value) ~= "string" then
            error(string.format("field '%s' allowed_values array must contain only strings", name))
        end
        list[i] = sanitize_dimension(value)
        wanted[list[i]] = true
    end
    return "list", function(value) return wanted[value] == true end, list
end

local function of_range(allowed, name)
    local min, max = allowed.min, allowed.max
    if not min and not max then
        error(string.format("field '%s' allowed_values range must have a 'min' or 'max'", name))
    end
    if min and type(min) ~= "string" or max and type(max) ~= "string" then
        error(string.format("field '%s' allowed_values range min/max must be a string", name))
    end
    return "minmax", function(value) return not (min and value < min) and not (max and value > max) end
end

function validate_dimensions(file)
    local handle = assert(io.open(file))
    local text = handle:read("*a")
    handle:close()
    local dimensions = cjson.decode(text).dimensions
    if type(dimensions) ~= "table" then error(file .. " must have an array of dimensions") end
    for _, dimension in ipairs(dimensions) do
        dimension.field_name = source(dimension)
        dimension.header_name = nil
        local allowed, name = dimension.allowed_values, dimension.field_name
        local read
        if type(allowed) == "string" then
            read = of_text
        elseif type(allowed) == "table" then
            read = allowed[1] ~= nil and of_list or of_range
        else
            error(string.format("field '%s' allowed_values invalid type: %s", name, type(allowed)))
        end
        local sanitised
        dimension.matcher_type, dimension.matcher, sanitised = read(allowed, name)
        dimension.allowed_values = sanitised or allowed
    end
    return dimensions
end

function read_dimension(dimension, variables)
    local value
    if not dimension.is_variable then
        value = sanitize_dimension(read_message(dimension.field_name))
    elseif type(variables) == "table" then
        value = sanitize_dimension(variables[dimension.field_name])
    end
    if value == nil then return "UNKNOWN" end
    return dimension.matcher(value) and value or "OTHER"
end

return M
