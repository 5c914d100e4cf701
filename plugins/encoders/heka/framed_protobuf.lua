-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Framed Heka protobuf encoder: the message as it is, with its frame

## Configuration

```lua
encoder_module = "encoders.heka.framed_protobuf"
```

`encode()` returns the bytes without copying them.
--]]

local framed = read_message("framed", nil, nil, true)

local M = {}
setfenv(1, M)

function encode()
    return framed
end

return M
