-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Payload names: which file a payload goes into

For outputs that keep one file for each plugin and name. A character of the Logger or the name that is no letter, digit or dot
becomes "_"; of the type, each that is no letter or digit. So no name leads out of a folder.

## Functions

`clean(text)` returns a Logger or name in this form. `of_message()` returns the three parts of the current message's payload in this
form: Logger, name (empty without one), type ("txt" without one).
--]]

local string = require "string"

local gsub = string.gsub
local read_message, tostring = read_message, tostring

local M = {}
setfenv(1, M)

function clean(text)
    return (gsub(text, "[^%w.]", "_"))
end

local function field(name, default)
    local value = read_message("Fields[" .. name .. "]")
    if value == nil then return default end
    return tostring(value)
end

function of_message()
    local kind = gsub(field("payload_type", "txt"), "%W", "_")
    return clean(read_message("Logger") or ""), clean(field("payload_name", "")), kind
end

return M
