-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Framed Heka protobuf: the bytes are framed messages, one or many

Every whole message in the bytes is injected. Bytes between messages are skipped; bytes without any message are an
error; the begin of a message without its end is skipped too. Default headers are not used.

## Configuration

```lua
decoder_module = "decoders.heka.framed_protobuf"
```
--]]

local create_stream_reader = create_stream_reader
local inject_message       = inject_message

local NAME = "decoders.heka.framed_protobuf"

local M = {}
setfenv(1, M)

local reader = create_stream_reader(NAME)

function decode(data, default_headers, mutable)
    local left, any = #data, false
    local found, used = reader:find_message(data)
    left = left - used
    while found do
        any = true
        inject_message(reader)
        found, used = reader:find_message(nil)
        left = left - used
    end
    -- A message without its end must not take the begin of the next record for it.
    if left > 0 then reader = create_stream_reader(NAME) end
    if not any then return "no framed message found" end
end

return M
