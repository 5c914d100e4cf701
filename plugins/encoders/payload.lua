-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Payload encoder: the message's Payload, one line each

## Configuration

```lua
encoder_module = "encoders.payload"
-- encoders_payload = { append_newline = true }   -- a line end is added where there is none
```

`encode()` returns the Payload, or nil for a message without one.
--]]

local string = require "string"
local read_config, read_message = read_config, read_message
local cfg = read_config("encoders_payload") or {}
local append_newline = cfg.append_newline
if append_newline == nil then append_newline = true end
local byte = string.byte

local M = {}
setfenv(1, M)

function encode()
    local payload = read_message("Payload")
    if not payload then return nil end
    if append_newline and byte(payload, -1) ~= 10 then return payload .. "\n" end
    return payload
end

return M
