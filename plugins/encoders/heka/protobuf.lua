-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Heka protobuf encoder: the message as it is, without a frame

For destinations that keep messages apart themselves, such as Kafka; in a file nobody could tell where one ends.

## Configuration

```lua
encoder_module = "encoders.heka.protobuf"
```

`encode()` returns the bytes without copying them.
--]]

local raw = read_message("raw", nil, nil, true)

local M = {}
setfenv(1, M)

function encode()
    return raw
end

return M
