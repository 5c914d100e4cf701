-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Line splitter: a record of many lines becomes as many messages

Hands each line of the data to another decoder; empty lines are left out. A line that this cannot decode becomes a message
of Type "error.decode" whose Payload is the reason and whose Fields.data is the line; the others are decoded all the same.

## Configuration

```lua
decoder_module = "decoders.moz_logging.line_splitter"
decoders_moz_logging_line_splitter = {
    sub_decoder = "decoders.nginx.access", -- default "decoders.payload"; see lpeg.sub_decoder_util
    -- printf_messages = { "lpeg.openssh_portable" },
}
```

`decode(data, default_headers)` returns nothing.
--]]

local string = require "string"
local sdu    = require "lpeg.sub_decoder_util"

local gmatch = string.gmatch
local inject_message = inject_message
local pcall = pcall

local cfg         = read_config("decoders_moz_logging_line_splitter") or {}
local sub_decoder = sdu.load_sub_decoder(cfg.sub_decoder or "decoders.payload", cfg.printf_messages)

local M = {}
setfenv(1, M)

function decode(data, default_headers)
    for line in gmatch(data, "[^\n]+") do
        local ok, reason = pcall(sub_decoder, line, default_headers)
        if not ok or reason then
            pcall(inject_message, { Type = "error.decode", Payload = reason, Fields = { data = line } })
        end
    end
end

return M
