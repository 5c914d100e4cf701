-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# HTTP output: messages in the bodies of requests

Gathers messages into batches and sends each as the body of a request. A message is delivered when the server has answered
with a status from 200 to 299, and the plugin's place in the queue never passes one that has no answer:

- 400, 413, 422, and the statuses in `options.refused`, say that the server will never take this body. A batch is then sent
  again in halves, until only the messages are left that are refused alone. These fail; with `dead_letter = true` they are
  kept with the reason.
- After everything else, errors of the network too, the request is sent again, without end, after waits that grow, are random
  and as long as `Retry-After` says. Missing rights (401, 403) and wrong addresses (404, redirects, which are not followed) are
  logged as errors, because somebody has to put them right. Meanwhile the engine keeps the messages in its queue.

Every request has a header `Idempotency-Key`. It is derived from the places of the batch's messages and from these, so a
request that is sent again, also after a crash, has the same: a server that leaves out keys it has seen gets each message
exactly once, as long as the configuration of the batches stays the same and one queue is read.

## Sample configuration

```lua
filename          = "http.lua"
message_matcher   = "Type == 'telemetry'"
url               = "https://receiver.example/submit"  -- secrets do not belong here
ticker_interval   = 1                -- so often answers and the age of batches are looked at when no message comes
async_buffer_size = 20000            -- must be set
-- read_queue     = "input"
-- memory_limit   = 32000000         -- batches that have no answer count
-- dead_letter    = true             -- keep what the server refuses

-- What a message becomes: "encoders.heka.framed_protobuf" (framed Heka), "encoders.json" or "encoders.lines" (a line each),
-- "encoders.payload" (the Payload; with batch_count = 1 each is a request of its own).
-- encoder_module = "encoders.heka.framed_protobuf"

options = {                          -- all may be left out; see plugins/reference/destination.md
    -- batch_size      = 262144,     -- bytes, before compression
    -- batch_count     = 1000,       -- messages
    -- batch_age       = 1,          -- seconds
    -- compression     = "zstd",     -- or "gzip"
    -- concurrency     = 4,          -- requests at once
    -- rate            = 100,        -- requests a second at most
    -- bytes_per_second = 1e7,
    -- method          = "POST",     -- or "PUT"
    -- content_type    = "application/x-ndjson",  -- by default that of the encoder
    -- headers         = { ["X-Source"] = "foresight" },
    -- secret_headers  = { ["X-Api-Key"] = "file:/run/secrets/key" },  -- file:<path> or env:<NAME>
    -- token           = "env:RECEIVER_TOKEN",    -- Authorization: Bearer; or user = "ann", password = "file:<path>"
    -- timeout         = 30,         -- seconds until an answer has to be there
    -- refused         = {415},      -- further statuses that refuse a body for good
    -- cafile          = "/etc/ssl/ours.pem",     -- instead of the authorities that the system trusts
    -- certificate     = "client.pem", key = "client.key",
}
```
--]]

local destination = require "destination"
local encoding    = require "encoding"

local TYPES = {
    ["encoders.elasticsearch.mozlog"]  = "application/x-ndjson",
    ["encoders.elasticsearch.payload"] = "application/x-ndjson",
    ["encoders.json"]                  = "application/x-ndjson",
    ["encoders.lines"]                 = "text/plain",
}
local DEFAULT = "encoders.heka.framed_protobuf"

local url     = read_config("url") or error("url must be set")
local options = read_config("options") or {}
assert(type(options) == "table", "options must be a table")
assert((read_config("async_buffer_size") or 0) > 0, "async_buffer_size must be set")

local encode = encoding.new(DEFAULT)
options.content_type = options.content_type or TYPES[read_config("encoder_module") or DEFAULT]
    or "application/octet-stream"

local requests = destination.open(url, options)
local pcall = pcall

function process_message(sequence_id)
    requests:poll()
    local ok, data = pcall(encode)
    if not ok then return -1, data end
    if not data then return -2 end
    if not requests:write(sequence_id, data) then return -3, "too many requests have no answer" end
    return -5
end

function timer_event(ns, shutdown)
    if shutdown then
        requests:flush()
    else
        requests:poll()
    end
end
