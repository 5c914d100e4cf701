-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Host monitor: graphs of machines, and alerts before a disk is full or memory runs out

Takes the messages of `input/host_metrics.lua`, of one machine or of many. Graphs with a column for each host: `host_cpu`, `host_iowait`,
`host_memory`, `host_load`, `host_disk_read`, `host_disk_write`, `host_network_in`, `host_network_out`; with one for each file system: `host_disk_used`,
`host_disk_hours`. Tables: `host`, `host_disk`.

| measure | value | strange is, unless the configuration says something else |
|---|---|---|
| memory | percent that is not available | 95 or more, for `confirm` rows |
| load | load of a minute for each processor | 4 or more |
| iowait | percent that processors wait for disks | 50 or more |
| cpu | percent that processors are busy | |
| disk_read, disk_write, network_in, network_out | bytes a second | |
| used | percent of a file system | 95 or more |
| hours | hours until a file system is full, when it goes on growing as in the last hour | 24 or less |

## Sample configuration

```lua
filename        = "host_monitor.lua"
message_matcher = "Type == 'host.metrics' || Type == 'host.file_system'"
ticker_interval = 60
preserve_data   = true
memory_limit    = 32 * 1024 * 1024
output_limit    = 1024 * 1024
timer_event_inject_limit = 20
-- forecast    = 3600  -- seconds of growth that the forecast looks back
-- sec_per_row = 60
-- rows        = 1440  -- of the graphs; rows * keys_max is bounded by output_limit
-- keys_max    = 10    -- hosts, and as many file systems, that are watched
-- refractory  = 21600 -- seconds without another alert of the same host or file system
-- confirm     = 3     -- rows in succession that must be strange
-- preservation_version = 0
alert = {
    modules = { email = { recipients = { "ops@example.com" } } },
    thresholds = { -- checks by key and measure; see modules/monitor/watch.lua
        ["*"] = {
            memory = { { kind = "limit", high = 90 } },
            cpu    = { { kind = "robust", threshold = 12, direction = 1 } },
            used   = { { kind = "limit", high = 90 } },
        },
    },
}
```

## Alerts

The id is `HOST.MEASURE`, and of a file system `HOST:MOUNT.used` or `HOST:MOUNT.full_soon`.
--]]

local math   = require "math"
local string = require "string"
local watch  = require "monitor.watch"

local forecast_ns = (read_config("forecast") or 3600) * 1e9

-- Hours until full that are shown at most; as good as never.
local HOURS_MAX   = 1000
-- Looks that a forecast is made of.
local SAMPLES_MAX = 60
local SAMPLES_MIN = 10

local max, min = math.max, math.min
local read_message = read_message

local function average(name, unit, field, high)
    return { name = name, kind = "average", unit = unit, minimum = 1, field = string.format("Fields[%s]", field),
        checks = high and { { kind = "limit", high = high } } or {} }
end

local hosts = watch.new {
    title = "host", confirm = 3, payloads = 3,
    measures = {
        average("memory", "%", "memory_used", 95),
        average("load", "load", "load1", 4),
        average("iowait", "%", "cpu_iowait", 50),
        average("cpu", "%", "cpu"),
        average("disk_read", "B/s", "disk_read"),
        average("disk_write", "B/s", "disk_write"),
        average("network_in", "B/s", "network_in"),
        average("network_out", "B/s", "network_out"),
    },
    others = { "used", "hours" },
}
local file_systems = watch.new {
    title = "host_disk", confirm = 3, payloads = 9,
    measures = {
        { name = "used", kind = "average", unit = "%", minimum = 1, checks = { { kind = "limit", high = 95 } } },
        { name = "hours", kind = "average", unit = "hours", minimum = 1, checks = { { kind = "limit", low = 24, name = "full_soon" } } },
    },
    others = { "memory", "load", "iowait", "cpu", "disk_read", "disk_write", "network_in", "network_out" },
}
_PRESERVATION_VERSION = hosts:version(read_config("preservation_version"))
state = { hosts = hosts:state(), file_systems = file_systems:state() }

local LOAD = 2
local USED, HOURS = 1, 2

local function count_host(ns, host)
    local k = hosts:at(state.hosts, ns, host)
    if not k then return end
    for i, measure in ipairs(hosts.measures) do
        local value = read_message(measure.field)
        if type(value) == "number" then
            if i == LOAD then value = value / max(1, read_message("Fields[processors]") or 1) end
            k.n[i], k.sum[i] = k.n[i] + 1, k.sum[i] + value
        end
    end
end

-- Hours until the file system is full, from a line through the oldest and the newest sample; nil while too little is known.
local function hours_left(k, ns, used, available)
    local samples = k.samples or { at = 1, n = 0, ns = {}, used = {} }
    k.samples = samples
    local newest = samples.n > 0 and samples.ns[(samples.at - 2) % SAMPLES_MAX + 1]
    if not newest or ns - newest >= forecast_ns / SAMPLES_MAX then
        samples.ns[samples.at], samples.used[samples.at] = ns, used
        samples.at, samples.n = samples.at % SAMPLES_MAX + 1, min(SAMPLES_MAX, samples.n + 1)
    end
    if samples.n < SAMPLES_MIN then return nil end
    local oldest = samples.n < SAMPLES_MAX and 1 or samples.at
    local hours = (ns - samples.ns[oldest]) / 3600e9
    local growth = (used - samples.used[oldest]) / max(hours, 1e-9)
    if growth <= 0 then return HOURS_MAX end
    return min(HOURS_MAX, available / growth)
end

local function count_file_system(ns, host)
    local mount, used = read_message("Fields[mount]"), read_message("Fields[used]")
    local size, available = read_message("Fields[size]"), read_message("Fields[available]")
    if not mount or not used or not size or not available then return end
    local k = file_systems:at(state.file_systems, ns, host .. ":" .. mount)
    if not k then return end
    k.n[USED], k.sum[USED] = k.n[USED] + 1, k.sum[USED] + used
    local hours = hours_left(k, ns, size - available, available)
    if hours then k.n[HOURS], k.sum[HOURS] = k.n[HOURS] + 1, k.sum[HOURS] + hours end
end

function process_message()
    local ns, host = read_message("Timestamp"), read_message("Hostname") or "-"
    if read_message("Type") == "host.metrics" then count_host(ns, host) else count_file_system(ns, host) end
    return 0
end

function timer_event(ns, shutdown)
    hosts:timer(state.hosts, ns, shutdown)
    file_systems:timer(state.file_systems, ns, shutdown)
end
