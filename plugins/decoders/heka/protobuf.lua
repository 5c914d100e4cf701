-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Heka protobuf: the bytes are one encoded message

The message is injected as it is, without being taken apart, unless there are default headers: those replace what
the message says.

## Configuration

```lua
decoder_module = "decoders.heka.protobuf"
```
--]]

local decode_message = decode_message
local inject_message = inject_message
local pairs, pcall, next, type = pairs, pcall, next, type

local M = {}
setfenv(1, M)

local function add_fields(msg, fields)
    msg.Fields = msg.Fields or {}
    local n = #msg.Fields
    for name, value in pairs(fields) do
        n = n + 1
        msg.Fields[n] = { name = name, value = value }
    end
end

function decode(data, default_headers, mutable)
    if not default_headers or not next(default_headers) then
        local ok, err = pcall(inject_message, data)
        if not ok then return err end
        return
    end
    local ok, msg = pcall(decode_message, data)
    if not ok then return msg end
    for k, v in pairs(default_headers) do
        if k ~= "Fields" then
            msg[k] = v
        elseif type(v) == "table" then
            add_fields(msg, v)
        end
    end
    inject_message(msg)
end

return M
