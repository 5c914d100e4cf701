-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Lines: the bytes become the Payload, unchanged

Use it where a line needs no shape of its own, or where an analysis plugin reads the Payload.

## Configuration

```lua
decoder_module = "decoders.lines"
```

`decode(data, default_headers, mutable)` never fails. The default headers are added to the message.
--]]

local inject_message = inject_message
local pairs = pairs

local M = {}
setfenv(1, M)

local msg = {}

function decode(data, default_headers, mutable)
    for k in pairs(msg) do msg[k] = nil end
    if default_headers then
        for k, v in pairs(default_headers) do msg[k] = v end
    end
    msg.Payload = data
    inject_message(msg)
end

return M
