-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Templates: texts with places for values of the current message

For encoders and output plugins that make names from messages: of an index, a topic, a file.

## Functions

`interpolate(text [, seconds])` returns `text` with each `%{name}` replaced by, whichever comes first:

1. the header `name` (Uuid, Timestamp, Type, Logger, Severity, Payload, EnvVersion, Pid, Hostname) in text form,
2. the first value of the Field `name`,
3. the time: `name` is a format as `os.date` takes it, `seconds` since 1970 the time, default now.

What is none of these stays as it is. The message's own time is used only where the caller passes it:
`read_message("Timestamp") / 1e9`.

`get_uuid(bytes)` returns the text form of an identifier: upper case hex without leading zeros in each byte, which
existing indexes are made of. `get_timestamp(ns)` returns the time to the nanosecond, `get_timestamp_ms(ns)` to the
millisecond: "2026-03-11T22:14:15.003Z".

`header_fields` has for each header the function that returns its text form.
--]]

local math   = require "math"
local os     = require "os"
local string = require "string"

local date, floor = os.date, math.floor
local byte, format, gsub = string.byte, string.format, string.gsub
local pcall, read_message, tostring, type = pcall, read_message, tostring, type

local M = {}
setfenv(1, M)

function get_uuid(uuid)
    return format("%X%X%X%X-%X%X-%X%X-%X%X-%X%X%X%X%X%X", byte(uuid, 1, 16))
end

function get_timestamp(ns)
    local seconds = floor(ns / 1e9)
    return date("!%Y-%m-%dT%H:%M:%S", seconds) .. format(".%09dZ", ns - seconds * 1e9)
end

function get_timestamp_ms(ns)
    local seconds = floor(ns / 1e9)
    return date("!%Y-%m-%dT%H:%M:%S", seconds) .. format(".%03dZ", floor((ns - seconds * 1e9) / 1e6))
end

local function header(name, to_text)
    return function()
        local value = read_message(name)
        if value ~= nil and to_text then return to_text(value) end
        return value
    end
end

header_fields = {
    Uuid       = header("Uuid", get_uuid),
    Timestamp  = header("Timestamp", get_timestamp),
    Type       = header("Type"),
    Logger     = header("Logger"),
    Severity   = header("Severity"),
    Payload    = header("Payload"),
    EnvVersion = header("EnvVersion"),
    Pid        = header("Pid"),
    Hostname   = header("Hostname"),
}

local function value_of(name, seconds)
    local of_header = header_fields[name]
    if of_header then return of_header() end
    local value = read_message("Fields[" .. name .. "]")
    if value ~= nil then return tostring(value) end
    local ok, time = pcall(date, name, seconds)
    -- A text without a conversion in it is no format.
    if ok and type(time) == "string" and time ~= name then return time end
end

function interpolate(text, seconds)
    return (gsub(text, "%%{(.-)}", function(name) return value_of(name, seconds) end))
end

return M
