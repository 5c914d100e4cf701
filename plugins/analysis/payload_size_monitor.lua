-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Payload size monitor: how large messages are, and alerts when that changes

For each key: the average size of a message in bytes, the largest one, and the percentage above `large` bytes, in rows and as graphs
(`payload_size_average`, `payload_size_largest`, `payload_size_large`), and since the start the quantiles of all sizes (table
`payload_size_quantiles`, by the P² algorithm).

## Sample configuration

```lua
filename        = "payload_size_monitor.lua"
message_matcher = "Type == 'telemetry' || Type == 'validated'"
ticker_interval = 60
preserve_data   = true
memory_limit    = 32 * 1024 * 1024
output_limit    = 1024 * 1024
-- key           = { "Logger", "Fields[docType]" }
-- size_variable = "size"   -- bytes of the whole message; or a Field with a number
-- large         = 1048576  -- bytes from which on a message is large
-- minimum       = 20       -- messages that a row needs
-- sec_per_row   = 60
-- rows          = 1440     -- of the graphs; rows * keys_max is bounded by output_limit
-- keys_max      = 10       -- keys that are watched, the first ones that come
-- refractory    = 21600    -- seconds without another alert of the same key
-- confirm       = 2        -- rows in succession that must be strange
-- title         = "payload_size"
-- preservation_version = 0
alert = {
    modules = { email = { recipients = { "ops@example.com" } } },
    thresholds = { -- checks by key and measure; see modules/monitor/watch.lua. These are the defaults
        ["*"] = {
            average = { { kind = "robust", threshold = 10, floor = 0.05 } },
            large   = { { kind = "limit", high = 5 } },
        },
    },
}
```

## Alerts

The id is `KEY.average`, `KEY.large`, or `KEY.largest` where that has checks.
--]]

local key    = require "monitor.key"
local p2     = require "streaming_algorithms.p2"
local string = require "string"
local table  = require "table"
local watch  = require "monitor.watch"

local variable = read_config("size_variable") or "size"
local large    = read_config("large") or 1048576
local minimum  = read_config("minimum") or 20

local QUANTILES = { 0.5, 0.95, 0.99 }
-- The marker of a P² estimate that is the quantile itself.
local MARKER = 2
local AVERAGE, LARGEST, LARGE = 1, 2, 3

local read_message = read_message

local monitor = watch.new {
    title = "payload_size", confirm = 2, payloads = 1,
    measures = {
        { name = "average", kind = "average", unit = "B", minimum = minimum,
            checks = { { kind = "robust", threshold = 10, floor = 0.05 } } },
        { name = "largest", kind = "max", unit = "B", minimum = 1 },
        { name = "large", kind = "share", unit = "%", minimum = minimum, checks = { { kind = "limit", high = 5 } } },
    },
}
_PRESERVATION_VERSION = monitor:version(read_config("preservation_version"))
state     = monitor:state()
quantiles = {} -- by key: an estimate for each of QUANTILES

local key_of = key.new(read_config("key") or { "Logger", "Fields[docType]" }, "-")

local function estimates_of(name)
    local made = {}
    for i, q in ipairs(QUANTILES) do made[i] = p2.quantile(q) end
    quantiles[name] = made
    return made
end

function process_message()
    local size = read_message(variable)
    if type(size) ~= "number" then return 0 end
    local name = key_of()
    local k = monitor:at(state, read_message("Timestamp"), name)
    if not k then return 0 end
    local n, sum = k.n, k.sum
    n[AVERAGE], sum[AVERAGE] = n[AVERAGE] + 1, sum[AVERAGE] + size
    n[LARGEST] = n[LARGEST] + 1
    if size > sum[LARGEST] then sum[LARGEST] = size end
    n[LARGE] = n[LARGE] + 1
    if size >= large then sum[LARGE] = sum[LARGE] + 1 end
    local estimates = quantiles[name] or estimates_of(name)
    for i = 1, #QUANTILES do estimates[i]:add(size) end
    return 0
end

local function show_quantiles()
    add_to_payload("Key\tMessages\tMedian (B)\t95 % (B)\t99 % (B)\tLargest (B)\n")
    local order = {}
    for name in pairs(quantiles) do
        if state.keys[name] then order[#order + 1] = name else quantiles[name] = nil end
    end
    table.sort(order)
    for _, name in ipairs(order) do
        local estimates = quantiles[name]
        add_to_payload(name, "\t", estimates[1]:count(4))
        for i = 1, #QUANTILES do add_to_payload("\t", string.format("%.0f", estimates[i]:estimate(MARKER))) end
        add_to_payload("\t", string.format("%.0f", estimates[1]:estimate(4)), "\n")
    end
    inject_payload("tsv", monitor.title .. "_quantiles")
end

function timer_event(ns, shutdown)
    monitor:timer(state, ns, shutdown)
    show_quantiles()
end
