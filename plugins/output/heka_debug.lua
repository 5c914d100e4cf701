-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Debug output: messages as text, to read along

Writes every message with all headers and Fields in the text form of `foresight cat`, to a file or to standard
output.

## Sample configuration

```lua
filename        = "heka_debug.lua"
message_matcher = "TRUE"
-- output_file = "/tmp/debug.txt"    -- nil writes to standard output
```
--]]

require "io"
require "os"
require "string"
require "table"
require "math"

local output_file = read_config("output_file")
local out
if output_file then
    out = assert(require "foresight.append_file".open(output_file, { frames = "lines" }))
else
    out = io.stdout
end

local VALUE_TYPES = { [0] = 0, 1, 2, 3, 4 }

local function uuid(bytes)
    local hex = string.gsub(bytes, ".", function(c) return string.format("%02x", string.byte(c)) end)
    return string.format("%s-%s-%s-%s-%s", string.sub(hex, 1, 8), string.sub(hex, 9, 12), string.sub(hex, 13, 16),
                         string.sub(hex, 17, 20), string.sub(hex, 21))
end

local function time(ns)
    local s = math.floor(ns / 1e9)
    return os.date("!%Y-%m-%dT%H:%M:%S", s) .. string.format(".%09dZ", ns - s * 1e9)
end

local function nilable(value)
    if value == nil then return "<nil>" end
    return value
end

local function values(value)
    local items = {}
    for i, item in ipairs(value) do items[i] = tostring(item) end
    return table.concat(items, "|")
end

function process_message()
    local msg = decode_message(read_message("raw"))
    local lines = {
        ":Uuid: " .. uuid(msg.Uuid),
        ":Timestamp: " .. time(msg.Timestamp),
        ":Type: " .. nilable(msg.Type),
        ":Logger: " .. nilable(msg.Logger),
        ":Severity: " .. (msg.Severity or 7),
        ":Payload: " .. nilable(msg.Payload),
        ":EnvVersion: " .. nilable(msg.EnvVersion),
        ":Pid: " .. nilable(msg.Pid),
        ":Hostname: " .. nilable(msg.Hostname),
        ":Fields:",
    }
    for _, field in ipairs(msg.Fields or {}) do
        lines[#lines + 1] = string.format("    | name: %s type: %d representation: %s value: ",
            field.name, VALUE_TYPES[field.value_type or 0] or 0, nilable(field.representation)) .. values(field.value)
    end
    assert(out:write(table.concat(lines, "\n"), "\n\n"))
    return 0
end

function timer_event(ns, shutdown)
end
