-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Lines encoder: the message's Payload, as a line of its own

## Configuration

```lua
encoder_module = "encoders.lines"
```

`encode()` returns the Payload, with a line end where it has none, or nil for a message without a Payload.
--]]

local string = require "string"

local byte = string.byte
local read_message = read_message

local M = {}
setfenv(1, M)

function encode()
    local payload = read_message("Payload")
    if not payload or byte(payload, -1) == 10 then return payload end
    return payload .. "\n"
end

return M
