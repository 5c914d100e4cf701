-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Statsd input: counters, timers, gauges and sets from statsd clients

Listens for statsd metrics, datagrams and TCP lines on the same port, and injects a message for each series every
`flush_interval` seconds. modules/statsd.lua says which metrics there are and which messages they become. What came
since the last flush is injected at a stop too. A stop loses nothing that arrived; a crash loses what came after the last
flush, which is at most `flush_interval` seconds.

Lines that are no metrics are counted in the counter `statsd.bad_lines_seen`; what has no room is counted in
`statsd.keys_dropped` and `statsd.values_dropped`.

## Sample configuration

```lua
filename          = "statsd.lua"
instruction_limit = 0           -- it never returns
memory_limit      = 64 * 1024 * 1024
preserve_data     = true        -- gauges outlive a restart
address           = "127.0.0.1"
port              = 8125
-- transport = "both"           -- "udp", "tcp" or "both"
-- flush_interval = 10          -- seconds
-- percentiles = { 90 }
-- histogram = { { metric = "render", bins = { 10, 100, "inf" } } }
-- keys_max = 10000             -- series at a time
-- bytes_max = 8388608          -- bytes that values of timers and sets may take
-- gauges_kept = 360            -- flushes after which a gauge that nobody sets is forgotten
-- receive_buffer = 4194304     -- bytes the kernel may hold for us; datagrams beyond it are lost by the network
-- connections_max, idle_timeout, ssl_params: see modules/tcp_server.lua
```

## Messages

`Type` is `statsd.` and the kind of series; `Fields.name` is its name. An analysis plugin draws a timer so:

```lua
-- message_matcher = "Type == 'statsd.timer' && Fields[name] == 'db.query'"
function process_message()
    cb:set(read_message("Timestamp"), 1, read_message("Fields[upper_90]") or 0/0)
    return 0
end
```
--]]

require "math"
require "string"
local socket = require "socket"
local statsd = require "statsd"

local address        = read_config("address") or "127.0.0.1"
local port           = read_config("port") or 8125
local transport      = read_config("transport") or "both"
local flush_interval = read_config("flush_interval") or 10
local receive_buffer = read_config("receive_buffer") or 4194304
assert(transport == "udp" or transport == "tcp" or transport == "both", "transport must be udp, tcp or both")
assert(flush_interval > 0, "flush_interval must be greater than 0")

-- Datagrams that are read before others get their turn.
local BATCH = 1000
-- A client that sends a longer line is disconnected.
local LINE_MAX = 65536

gauges = {}

local metrics

-- Restored data is there when the main chunk has run.
local function begin()
    metrics = statsd.new {
        percentiles = read_config("percentiles"),
        histogram   = read_config("histogram"),
        keys_max    = read_config("keys_max"),
        bytes_max   = read_config("bytes_max"),
        gauges_kept = read_config("gauges_kept"),
        gauges      = gauges,
    }
end

local msg = {}

local function emit(kind, fields)
    msg.Type, msg.Fields = kind, fields
    inject_message(msg)
end

local last_flush = socket.gettime()

local function flush()
    local now = socket.gettime()
    msg.Timestamp = now * 1e9
    metrics.flush(math.max(now - last_flush, 0.001), emit)
    last_flush = now
end

-- Takes what datagrams there are, at most so many; whether there may be more.
local function receive(udp)
    for _ = 1, BATCH do
        local data, err = udp:receive()
        if not data then
            if err ~= "timeout" then print("receive failed", err) end
            return false
        end
        metrics.add(data)
    end
    return true
end

local function listen_udp()
    local udp = assert(socket.udp())
    assert(udp:setsockname(address, port))
    -- The kernel may give less; then bursts are lost sooner.
    udp:setoption("recv-buffer-size", receive_buffer)
    udp:settimeout(0)
    return udp
end

local udp = transport ~= "tcp" and listen_udp() or nil
local serve = require "tcp_server".new(transport ~= "udp" and port or nil, udp and { [udp] = receive } or nil)

local on = {}

function on.opened(client)
    client.rest = ""
end

function on.wanted()
    return LINE_MAX
end

function on.received(client, data)
    data = client.rest .. data
    local stop = string.find(data, "\n[^\n]*$")
    client.rest = stop and string.sub(data, stop + 1) or data
    if stop then metrics.add(string.sub(data, 1, stop)) end
    if #client.rest > LINE_MAX then
        metrics.add_bad_line()
        client.rest = ""
        return "line longer than " .. LINE_MAX
    end
end

function on.closed(client)
    if client.rest and client.rest ~= "" then metrics.add(client.rest) end
end

function on.tick()
    if socket.gettime() - last_flush >= flush_interval then flush() end
end

function process_message()
    begin()
    serve(on)
    -- What the kernel has when we end was sent before.
    local rounds = 0
    while udp and rounds < BATCH and receive(udp) do rounds = rounds + 1 end
    flush()
    return 0
end
