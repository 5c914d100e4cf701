-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# JSON encoder: the message as one line of JSON

Headers by their names; Fields in an object of their own, single values as scalars, several as arrays. Uuid is in hex
with dashes, Timestamp in nanoseconds as text. Numbers are what Lua sees: exact up to 2^53, so a Timestamp is exact to
256 nanoseconds. Bytes that are not UTF-8 are replaced by U+FFFD.

    {"Uuid":"...","Timestamp":"1700000000123456789","Type":"t","Fields":{"a":1,"b":["x","y"]}}

## Configuration

```lua
encoder_module = "encoders.json"
```
--]]

local string = require "string"
local table  = require "table"

local byte, format, gsub, match, sub = string.byte, string.format, string.gsub, string.match, string.sub
local concat = table.concat
local decode_message, read_message = decode_message, read_message
local ipairs, tonumber, tostring, type = ipairs, tonumber, tostring, type

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
                  ["\t"] = "\\t" }

local M = {}
setfenv(1, M)

local function escape(c)
    return ESCAPES[c] or format("\\u%04x", byte(c))
end

-- The longest prefix from `at` that is UTF-8; returns the place behind it.
local function utf8_run(text, at)
    local n = #text
    while at <= n do
        local b = byte(text, at)
        local length = b < 0x80 and 1 or b >= 0xC2 and b < 0xE0 and 2 or b >= 0xE0 and b < 0xF0 and 3
            or b >= 0xF0 and b < 0xF5 and 4 or nil
        if not length or at + length - 1 > n then return at end
        for i = at + 1, at + length - 1 do
            local c = byte(text, i)
            if c < 0x80 or c > 0xBF then return at end
        end
        if length == 3 then
            local c = byte(text, at + 1)
            if (b == 0xE0 and c < 0xA0) or (b == 0xED and c > 0x9F) then return at end
        elseif length == 4 then
            local c = byte(text, at + 1)
            if (b == 0xF0 and c < 0x90) or (b == 0xF4 and c > 0x8F) then return at end
        end
        at = at + length
    end
    return at
end

local function valid_utf8(text)
    local at, parts = 1, {}
    while true do
        local stop = utf8_run(text, at)
        parts[#parts + 1] = sub(text, at, stop - 1)
        if stop > #text then return concat(parts) end
        parts[#parts + 1] = "\239\191\189"
        at = stop + 1
    end
end

local function quote(text)
    if match(text, "[\128-\255]") then text = valid_utf8(text) end
    return '"' .. gsub(text, '[%c"\\]', escape) .. '"'
end

local function scalar(value)
    if type(value) == "string" then return quote(value) end
    if type(value) ~= "number" then return tostring(value) end
    if value ~= value or value == 1 / 0 or value == -1 / 0 then return "null" end
    -- The shorter form where it says the same number.
    local short = format("%.15g", value)
    if tonumber(short) == value then return short end
    return format("%.17g", value)
end

local function field(value)
    if #value == 1 then return scalar(value[1]) end
    local items = {}
    for i, item in ipairs(value) do items[i] = scalar(item) end
    return "[" .. concat(items, ",") .. "]"
end

local HEADERS = { "Type", "Logger", "Hostname", "EnvVersion", "Payload", "Severity", "Pid" }

function encode()
    local msg = decode_message(read_message("raw"))
    local parts = {}
    local hex = gsub(msg.Uuid, ".", function(c) return format("%02x", byte(c)) end)
    parts[1] = format('{"Uuid":"%s-%s-%s-%s-%s"', sub(hex, 1, 8), sub(hex, 9, 12), sub(hex, 13, 16),
                      sub(hex, 17, 20), sub(hex, 21))
    parts[2] = format('"Timestamp":"%.0f"', msg.Timestamp)
    for _, header in ipairs(HEADERS) do
        if msg[header] ~= nil then parts[#parts + 1] = '"' .. header .. '":' .. scalar(msg[header]) end
    end
    if msg.Fields then
        local fields = {}
        for i, f in ipairs(msg.Fields) do fields[i] = quote(f.name) .. ":" .. field(f.value) end
        parts[#parts + 1] = '"Fields":{' .. concat(fields, ",") .. "}"
    end
    return concat(parts, ",") .. "}\n"
end

return M
