-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# JSON: one object becomes one message

Decodes a JSON object with plain string functions. Keys with the name of a header become that header; all others
become Fields. Objects inside are flattened, their keys joined with a dot; an array of strings, of numbers or of
booleans becomes an array field; any other array is kept as its JSON text (representation "json"). `null` is left out.

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
| max_depth | deeper nesting is an error | 16 |
| keep_payload | the JSON text becomes the Payload when it has none | false |
--]]

local string = require "string"
local math   = require "math"
local table  = require "table"

local find, match, sub, byte, char, gsub, format =
      string.find, string.match, string.sub, string.byte, string.char, string.gsub, string.format
local floor, huge = math.floor, math.huge
local concat = table.concat
local inject_message = inject_message
local read_config    = read_config
local error, pairs, pcall, tonumber, type = error, pairs, pcall, tonumber, type

local cfg          = read_config("decoders_json") or {}
local separator    = cfg.separator or "."
local max_depth    = cfg.max_depth or 16
local keep_payload = cfg.keep_payload

local HEADERS = { Uuid = "string", Timestamp = "time", Type = "string", Logger = "string", Severity = "number",
                  Payload = "string", EnvVersion = "string", Pid = "number", Hostname = "string" }
local ESCAPES = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local NULL = {}

local M = {}
setfenv(1, M)

local function fail(at, expected)
    error(format("invalid JSON at byte %d: expected %s", at, expected), 0)
end

local function utf8(code)
    if code < 0x80 then return char(code) end
    if code < 0x800 then
        return char(0xC0 + floor(code / 0x40), 0x80 + code % 0x40)
    end
    if code < 0x10000 then
        return char(0xE0 + floor(code / 0x1000), 0x80 + floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
    end
    return char(0xF0 + floor(code / 0x40000), 0x80 + floor(code / 0x1000) % 0x40,
                0x80 + floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
end

-- The character of the escape whose letter stands at `at`; returns it and the place behind.
local function escape(text, at)
    local plain = ESCAPES[sub(text, at, at)]
    if plain then return plain, at + 1 end
    local hex = match(text, "^u(%x%x%x%x)", at)
    if not hex then fail(at, "an escape") end
    local code = tonumber(hex, 16)
    if code >= 0xD800 and code < 0xDC00 then
        local low = match(text, "^\\u([dD][c-fC-F]%x%x)", at + 5)
        if not low then fail(at, "a second surrogate") end
        return utf8(0x10000 + (code - 0xD800) * 0x400 + tonumber(low, 16) - 0xDC00), at + 11
    elseif code >= 0xDC00 and code < 0xE000 then
        fail(at, "a first surrogate")
    end
    return utf8(code), at + 5
end

local function parse_string(text, at) -- `at` is behind the opening quote
    local stop = find(text, '["\\%c]', at)
    if stop and byte(text, stop) == 34 then return sub(text, at, stop - 1), stop + 1 end
    local parts, n = {}, 0
    while true do
        if not stop then fail(#text + 1, "the end of a string") end
        n = n + 1
        parts[n] = sub(text, at, stop - 1)
        local b = byte(text, stop)
        if b == 34 then return concat(parts), stop + 1 end
        if b ~= 92 and b ~= 127 then fail(stop, "no control character in a string") end
        n = n + 1
        if b == 127 then
            parts[n], at = "\127", stop + 1
        else
            parts[n], at = escape(text, stop + 1)
        end
        stop = find(text, '["\\%c]', at)
    end
end

local function parse_number(text, at)
    local digits, stop = match(text, "^(%-?%d+%.?%d*[eE]?[+-]?%d*)()", at)
    local number = digits and not find(digits, "^%-?0%d") and not find(digits, "%.[eE]")
        and not find(digits, "%.$") and tonumber(digits)
    if not number then fail(at, "a value") end
    return number, stop
end

local function space(text, at)
    return match(text, "^[ \t\r\n]*()", at)
end

local value

local function parse_array(text, at, depth)
    local list, n = {}, 0
    at = space(text, at)
    if byte(text, at) == 93 then return list, at + 1 end
    while true do
        n = n + 1
        list[n], at = value(text, at, depth)
        at = space(text, at)
        local b = byte(text, at)
        if b == 93 then return list, at + 1 end
        if b ~= 44 then fail(at, "',' or ']'") end
        at = space(text, at + 1)
    end
end

-- Calls set(key, value, from, to) for every member of the object.
local function parse_object(text, at, depth, set)
    at = space(text, at)
    if byte(text, at) == 125 then return at + 1 end
    while true do
        if byte(text, at) ~= 34 then fail(at, "a key") end
        local key
        key, at = parse_string(text, at + 1)
        at = space(text, at)
        if byte(text, at) ~= 58 then fail(at, "':'") end
        local from = space(text, at + 1)
        at = set(key, from)
        at = space(text, at)
        local b = byte(text, at)
        if b == 125 then return at + 1 end
        if b ~= 44 then fail(at, "',' or '}'") end
        at = space(text, at + 1)
    end
end

-- A value of any kind; the members of an object inside an array are only checked, their text is kept.
function value(text, at, depth)
    if depth > max_depth then fail(at, "no more than " .. max_depth .. " levels") end
    local b = byte(text, at)
    if b == 34 then return parse_string(text, at + 1) end
    if b == 123 then
        local stop = parse_object(text, at + 1, depth + 1, function(_, from)
            local _, behind = value(text, from, depth + 1)
            return behind
        end)
        return NULL, stop, true
    end
    if b == 91 then
        local list, stop = parse_array(text, at + 1, depth + 1)
        return list, stop
    end
    if sub(text, at, at + 3) == "true" then return true, at + 4 end
    if sub(text, at, at + 4) == "false" then return false, at + 5 end
    if sub(text, at, at + 3) == "null" then return NULL, at + 4 end
    return parse_number(text, at)
end

-- Whether all elements have one scalar type, so that they can be one field.
local function is_uniform(list)
    local kind = type(list[1])
    if kind == "table" or kind == "nil" then return false end
    for i = 2, #list do
        if type(list[i]) ~= kind then return false end
    end
    return true
end

local function timestamp(v)
    if type(v) == "number" then return v end
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
        msg.Timestamp = timestamp(v)
        return msg.Timestamp ~= nil
    end
    if type(v) ~= kind then return false end
    msg[name] = v
    return true
end

local function set_members(text, at, depth, prefix, msg, fields)
    if depth > max_depth then fail(at, "no more than " .. max_depth .. " levels") end
    return parse_object(text, at, depth, function(key, from)
        if byte(text, from) == 123 then
            return set_members(text, from + 1, depth + 1, prefix .. key .. separator, msg, fields)
        end
        local v, behind = value(text, from, depth)
        if v == NULL then return behind end
        local kind = prefix == "" and HEADERS[key]
        if kind and type(v) ~= "table" and set_header(msg, key, kind, v) then return behind end
        if type(v) == "table" and not is_uniform(v) then
            v = { value = sub(text, from, behind - 1), representation = "json" }
        end
        fields[prefix .. key] = v
        return behind
    end)
end

local function build(data, default_headers)
    local msg, fields = {}, {}
    if default_headers then
        for k, v in pairs(default_headers) do
            if k ~= "Fields" then msg[k] = v end
        end
        if type(default_headers.Fields) == "table" then
            for k, v in pairs(default_headers.Fields) do fields[k] = v end
        end
    end
    local at = space(data, 1)
    if byte(data, at) ~= 123 then fail(at, "'{'") end
    local behind = space(data, set_members(data, at + 1, 1, "", msg, fields))
    if behind <= #data then fail(behind, "the end") end
    if keep_payload and not msg.Payload then msg.Payload = data end
    msg.Fields = fields
    return msg
end

function decode(data, default_headers, mutable)
    local ok, msg = pcall(build, data, default_headers)
    if not ok then return msg end
    inject_message(msg)
end

return M
