-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Framed Heka protobuf: the bytes are framed messages, one or many

Every whole message in the bytes is injected. Bytes between messages are skipped; bytes without any message are an
error.

## Configuration

```lua
decoder_module = "decoders.heka.framed_protobuf"
```
--]]

local create_stream_reader = create_stream_reader
local inject_message       = inject_message

local M = {}
setfenv(1, M)

local reader = create_stream_reader("decoders.heka.framed_protobuf")

function decode(data, default_headers, mutable)
    local found = reader:find_message(data)
    if not found then return "no framed message found" end
    while found do
        inject_message(reader)
        found = reader:find_message(nil)
    end
end

return M
