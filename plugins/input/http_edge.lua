-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# HTTP edge: one message for each submission, answered when it is safe

Clients POST or PUT to `/submit/<namespace>/...`. The body is never looked into: it becomes Field `content`, as bytes.
The answer is 200 only when the message is as safe as `sync` of the main configuration makes it; with "interval" a sync
follows at once, and one sync serves all that wait.

Headers of the message: Timestamp (when the body was complete), Type, Logger, Hostname, Pid, Uuid. Fields: `remote_addr`,
`uri` (without escapes and query), `args` (the query, if there is one), `protocol`, the kept headers that are present, and
`content`.

| answer | when, in this order of checks |
|---|---|
| 405 | neither POST nor PUT (GET of `/status`, `/__heartbeat__`, `/__lbheartbeat__` and `/__version__` is answered) |
| 411 | no Content-Length |
| 414 | path and query longer than `max_uri_size` |
| 413 | body longer than `max_content_size` |
| 400 | malformed request, or without `v=4` where it is required |
| 404 | unknown namespace, or no submission path |
| 429 | more submissions than a rate limit allows |
| 408 | the body took longer than `body_timeout` |
| 503 | the queue takes nothing (a full disk, slow readers) or a sync takes longer than `commit_timeout` |
| 502 | a backend of the tee that is waited for did not take it |

A client that gets no answer, or 5xx, sends again; the same submission may then be there twice.

## Sample configuration

```lua
filename          = "http_edge.lua"
instruction_limit = 0                -- it never returns
address           = "127.0.0.1"
port              = 8080
type              = "telemetry-raw"  -- Type of the messages: the topic
-- logger           = "moz_ingest"
-- prefix           = "/submit/"
-- namespaces       = {"telemetry"}  -- what is taken; everything when neither this nor namespaces_path is set
-- namespaces_path  = "/schemas"     -- each folder in it is a namespace; looked at again every 10 s
-- headers          = {"Date", "DNT", "Host", "User-Agent", "X-Forwarded-For"} -- which become Fields
-- client_ip        = true           -- whether Field remote_addr is made
-- client_ip_from   = "peer"         -- whose rate is limited: "peer", or "forwarded" for the last X-Forwarded-For
-- max_uri_size     = 256            -- bytes
-- max_content_size = 102400         -- bytes; max_message_size of the main configuration must be 128 KiB more
-- accept_too_long  = false          -- answer 202 instead of 413 and 414, for clients that would send again
-- require_v4       = false          -- telemetry needs v=4 in the query
-- header_timeout   = 30             -- seconds for the head of a request; also how long a connection may idle
-- body_timeout     = 30             -- seconds
-- commit_timeout   = 10             -- seconds
-- drain_timeout    = 10             -- seconds that a stop waits for submissions under way
-- max_header_size  = 16384          -- bytes of a request's head
-- max_headers      = 64
-- max_connections  = 20000
-- max_buffered     = 268435456      -- bytes of bodies in memory
-- rate_limit       = 0              -- submissions a second; 0 for no limit
-- rate_burst       = rate_limit     -- submissions at once
-- client_rate_limit, client_rate_burst: the same for each client
-- tls_certificate  = "cert.pem"     -- with tls_key: speak TLS; changed files are noticed within a minute
-- tls_key          = "key.pem"
-- tee = {                           -- other backends that get a share of the submissions
--     {url = "http://10.0.0.1:8080", share = 0.1, wait = false, timeout = 10, in_flight_max = 1000},
-- }
-- listeners = {                     -- several at once; what one does not set is taken from above
--     {port = 8080}, {port = 8081, type = "other-raw", max_content_size = 1048576},
-- }
```
--]]

local http_edge = require "http_edge"

-- What stands outside of `listeners` is the default of each.
local function listeners()
    local all = read_config("listeners") or { {} }
    assert(type(all) == "table", "listeners must be a list of tables")
    local made = {}
    for i, listener in ipairs(all) do
        local one = {}
        for _, key in ipairs(http_edge.keys()) do one[key] = read_config(key) end
        for key, value in pairs(listener) do one[key] = value end
        made[i] = one
    end
    return made
end

local edge = http_edge.new(listeners())

function process_message()
    edge:serve()
    return 0
end
