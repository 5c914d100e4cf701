-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Heka protobuf: the bytes are one encoded message

The message is injected as it is, without being taken apart, unless there are default headers: then those headers and
Fields that it lacks are added, and its numbers are those that Lua sees, exact up to 2^53.

## Configuration

```lua
decoder_module = "decoders.heka.protobuf"
```
--]]

local fill = require "default_headers".fill

local decode_message = decode_message
local inject_message = inject_message
local next, pcall = next, pcall

local M = {}
setfenv(1, M)

function decode(data, default_headers, mutable)
    local msg = data
    if default_headers and next(default_headers) ~= nil then
        local ok, decoded = pcall(decode_message, data)
        if not ok then return decoded end
        fill(decoded, default_headers)
        msg = decoded
    end
    local ok, err = pcall(inject_message, msg)
    if not ok then return err end
end

return M
