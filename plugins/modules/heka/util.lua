-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# From tables to messages: flattens a table into Fields, or maps it to headers and Fields

For decoders whose grammar or parser makes a table of any shape.

## Functions

`table_to_fields(t, fields, parent, separator, max_depth)` puts the values of `t` into `fields`; those of nested tables
under the keys on the way to them, joined by `separator` (default "."), below `parent` where one is given. From
`max_depth` keys on (counted as separators of the joined key, plus one; default no limit) a table becomes one string,
its JSON. Nulls and other userdata are left out.

`table_to_message(t, map, msg, parent)` puts the values of `t` into the message `msg` (default a new one) and returns it,
or nil when `t` is no table. A key that `map` does not mention becomes the header of that name, or else a Field; below
`parent` always a Field, named `parent.key`. Nested tables become their JSON, nulls are left out. `map` has for a key
one of these:

| entry | effect |
|---|---|
| `{ header = "Timestamp" }` | the value becomes this header |
| `{ field = "length" }` | the value becomes this Field |
| `{ field = "length", type = "int", representation = "B" }` | and has this type and representation |
| a table of entries | the value is a table, and its keys are mapped by them; any other value is left out |

| type | what becomes of other values |
|---|---|
| string, bytes | their text, of a table its JSON |
| int, double | of a text its number, of a boolean 1 or 0; anything else is left out |
| boolean | a number is whether it is not 0; a text becomes the number 1 if it is "true" or "TRUE", else 0 |

In both functions keys that are numbers become texts, and tables nested deeper than 1000 levels are an error.
--]]

local cjson  = require "cjson"
local string = require "string"

local find = string.find
local encode_json, null = cjson.encode, cjson.null
local error, pairs, tonumber, tostring, type = error, pairs, tonumber, tostring, type

-- Far deeper than any record; what has no end ends here.
local DEPTH_MAX = 1000

local HEADERS = { Uuid = true, Timestamp = true, Type = true, Logger = true, Severity = true, Payload = true,
                  EnvVersion = true, Pid = true, Hostname = true }
local VALUE_TYPES = { bytes = 1, int = 2 }

local M = {}
setfenv(1, M)

local function check_depth(levels)
    if levels > DEPTH_MAX then error("the table is nested too deeply", 0) end
end

-- How many keys a joined key is made of.
local function depth_of(key, separator)
    local depth, at = 1, 1
    if separator == "" then return depth end
    while true do
        local _, to = find(key, separator, at, true)
        if not to then return depth end
        depth, at = depth + 1, to + 1
    end
end

-- `depth` is the one of the prefix, `levels` how far we have gone down.
local function flatten(t, fields, prefix, separator, depth, max_depth, levels)
    check_depth(levels)
    for k, v in pairs(t) do
        local kind = type(v)
        local key = tostring(k)
        local here = depth + depth_of(key, separator)
        key = prefix .. key
        if kind ~= "table" then
            if kind ~= "userdata" then fields[key] = v end
        elseif max_depth and here >= max_depth then
            fields[key] = encode_json(v)
        else
            flatten(v, fields, key .. separator, separator, here, max_depth, levels + 1)
        end
    end
end

function table_to_fields(t, fields, parent, separator, max_depth)
    if type(separator) ~= "string" then separator = "." end
    if type(max_depth) ~= "number" then max_depth = nil end
    local prefix, depth = "", 0
    if parent then
        prefix = tostring(parent) .. separator
        depth = depth_of(tostring(parent), separator)
    end
    flatten(t, fields, prefix, separator, depth, max_depth, 1)
end

local CONVERT = {}

function CONVERT.string(v)
    if type(v) == "table" then return encode_json(v) end
    -- Userdata says at the injection what it is.
    if type(v) == "userdata" then return v end
    return tostring(v)
end
CONVERT.bytes = CONVERT.string

function CONVERT.double(v)
    if type(v) == "boolean" then return v and 1 or 0 end
    if type(v) == "number" or type(v) == "string" then return tonumber(v) end
end
CONVERT.int = CONVERT.double

function CONVERT.boolean(v)
    if type(v) == "boolean" then return v end
    if type(v) == "number" then return v ~= 0 end
    if type(v) == "string" then return (v == "true" or v == "TRUE") and 1 or 0 end
end

local function set_field(msg, name, v, kind, representation)
    if v == null then return end
    local convert = CONVERT[kind]
    if convert then
        v = convert(v)
    elseif type(v) == "table" then
        v = encode_json(v)
    end
    if v == nil then return end
    local value_type = VALUE_TYPES[kind]
    if value_type or representation then
        v = { value = v, value_type = value_type, representation = representation }
    end
    if not msg.Fields then msg.Fields = {} end
    msg.Fields[name] = v
end

-- `prefix` ends with its dot; it is nil at the top, where keys may be headers.
local function map_table(t, map, msg, prefix, levels)
    check_depth(levels)
    for k, v in pairs(t) do
        local entry = map[k]
        local key = tostring(k)
        if type(entry) ~= "table" then
            if prefix then
                set_field(msg, prefix .. key, v)
            elseif not HEADERS[key] then
                set_field(msg, key, v)
            elseif v ~= null then
                msg[key] = v
            end
        elseif type(entry.header) == "string" then
            if v ~= null then msg[entry.header] = v end
        elseif type(entry.field) == "string" then
            set_field(msg, entry.field, v, entry.type, entry.representation)
        elseif type(v) == "table" then
            map_table(v, entry, msg, (prefix or "") .. key .. ".", levels + 1)
        end
    end
end

function table_to_message(t, map, msg, parent)
    if type(t) ~= "table" then return nil end
    if type(map) ~= "table" then map = {} end
    msg = msg or {}
    local prefix = parent and parent ~= "" and tostring(parent) .. "." or nil
    map_table(t, map, msg, prefix, 1)
    return msg
end

return M
