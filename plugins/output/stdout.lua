-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Standard output: messages for the program behind a pipe

Writes messages to the standard output of the engine, in batches; the log goes to the standard error. A message is delivered
when the system has taken it. While the program that reads is slow the engine keeps the messages in its queue; when it has
ended the plugin ends, too, and goes on at the next start with what was not delivered. Several such plugins do not write
into each other's batches.

## Sample configuration

```lua
filename          = "stdout.lua"
message_matcher   = "TRUE"
ticker_interval   = 1                -- so often the age of batches is looked at when no message comes
async_buffer_size = 20000            -- must be set

-- What a message becomes: "encoders.json" or "encoders.lines" (a line each), "encoders.payload" (the Payload alone),
-- "encoders.heka.framed_protobuf" (framed Heka).
-- encoder_module = "encoders.json"

options = {                          -- all may be left out
    -- batch_size  = 262144,         -- bytes
    -- batch_count = 1000,           -- messages
    -- batch_age   = 1,              -- seconds
    -- compression = "zstd",         -- or "gzip"; each batch is whole for itself
    -- bytes_per_second = 1e7,
}
```
--]]

local destination = require "destination"
local encoding    = require "encoding"

assert((read_config("async_buffer_size") or 0) > 0, "async_buffer_size must be set")

local encode = encoding.new("encoders.json")
local out    = destination.open("stdout:", read_config("options"))
local pcall = pcall

function process_message(sequence_id)
    out:poll()
    local ok, data = pcall(encode)
    if not ok then return -1, data end
    if not data then return -2 end
    if not out:write(sequence_id, data) then return -3, "nobody reads" end
    return -5
end

function timer_event(ns, shutdown)
    if shutdown then
        out:flush()
    else
        out:poll()
    end
end
