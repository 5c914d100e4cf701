-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Payload encoder: the message's Payload, unchanged

Nothing is added between two Payloads; `encoders.lines` makes lines of them.

## Configuration

```lua
encoder_module = "encoders.payload"
```

`encode()` returns the bytes without copying them; of a message without a Payload there are none.
--]]

local payload = read_message("Payload", nil, nil, true)

local M = {}
setfenv(1, M)

function encode()
    return payload
end

return M
