-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Histogram monitor: alerts when values or categories are distributed otherwise than usual

For each key it gathers the distribution of `value_variable` in rows of `sec_per_row` seconds: numbers in buckets, texts and booleans as
categories. A row is strange when it is like none of the rows before (Pearson's correlation and Bhattacharyya's coefficient, see
`detector.histogram` in reference/detector.md), or when the share of one bucket is far from its usual one. The graph
`histogram_distribution` shows how strange each row was: from 1 on there is an alert. The table `histogram` has the usual shares.

## Sample configuration

```lua
filename        = "histogram_monitor.lua"
message_matcher = "Type == 'telemetry'"
ticker_interval = 60
preserve_data   = true
memory_limit    = 32 * 1024 * 1024
output_limit    = 1024 * 1024
value_variable  = "Fields[os]"
-- key         = { "Fields[docType]" } -- nothing: all messages together
-- categories  = true   -- false: the values are numbers, and others are not counted
-- bins        = 32     -- 2 to 256; with categories the last one is that of all further values
-- low         = 1      -- numbers: what is less goes into the first bucket,
-- high        = 1e6    -- and what is more into the last one
-- scale       = "log"  -- buckets grow; "linear": all are the same
-- minimum     = 1000   -- with fewer values a row goes on
-- checks      = { { kind = "histogram", rows = 24, pearson = 0.3, bhattacharyya = 0.9 }, { kind = "shares", change = 0.3 } }
-- sec_per_row = 3600
-- rows        = 720    -- of the graph; rows * keys_max is bounded by output_limit
-- keys_max    = 10     -- keys that are watched, the first ones that come
-- refractory  = 21600  -- seconds without another alert of the same key
-- title       = "histogram"
-- preservation_version = 0
alert = {
    modules = { email = { recipients = { "ops@example.com" } } },
}
```

## Alerts

The id is `KEY.distribution`; the summary names the bucket whose share has changed most.
--]]

local key    = require "monitor.key"
local math   = require "math"
local string = require "string"
local watch  = require "monitor.watch"

local variable   = read_config("value_variable") or error("value_variable must be set")
local categories = read_config("categories") ~= false
local bins       = read_config("bins") or 32
local low        = read_config("low") or 1
local high       = read_config("high") or 1e6
local scale      = read_config("scale") or "log"
assert(scale == "log" or scale == "linear", "scale must be log or linear")
assert(low < high and (scale == "linear" or low > 0), "low must be less than high, and above 0 for buckets that grow")
assert(bins >= 2, "bins must be 2 to 256")

local LABEL_MAX = 64

local floor, log, max, min = math.floor, math.log, math.max, math.min
local read_message, tostring, type = read_message, tostring, type

by_value = {} -- category -> bin
labels   = {} -- bin -> category

-- Buckets between the first and the last one.
local inner = bins - 2
local span  = scale == "log" and log(high / low) or high - low

local function begin_of(bin)
    if scale == "log" then return low * math.exp(span * (bin - 2) / max(1, inner)) end
    return low + span * (bin - 2) / max(1, inner)
end

local function label(bin)
    if categories then return labels[bin] or "(others)" end
    if bin == 1 then return string.format("below %.4g", low) end
    return string.format("from %.4g on", bin == bins and high or begin_of(bin))
end

local function bin_of_number(value)
    if type(value) ~= "number" or value ~= value then return nil end
    if value < low then return 1 end
    if value >= high then return bins end
    local place = scale == "log" and log(value / low) or value - low
    return min(bins - 1, max(2, 2 + floor(place / span * inner)))
end

local function bin_of_category(value)
    if value == nil then return nil end
    local bin = by_value[value]
    if bin then return bin end
    bin = #labels + 1
    if bin >= bins then return bins end
    by_value[value] = bin
    labels[bin] = (string.gsub(string.sub(tostring(value), 1, LABEL_MAX), "%c", " "))
    return bin
end

local bin_of = categories and bin_of_category or bin_of_number

local monitor = watch.new {
    title = "histogram", sec_per_row = 3600, rows = 720,
    payloads = 1,
    measures = { {
        name = "distribution", kind = "histogram", bins = bins, minimum = read_config("minimum") or 1000, label = label,
        checks = read_config("checks") or { { kind = "histogram", rows = 24 }, { kind = "shares" } },
    } },
}
_PRESERVATION_VERSION = monitor:version(read_config("preservation_version"))
state = monitor:state()

local key_of = key.new(read_config("key"))

function process_message()
    local bin = bin_of(read_message(variable))
    local name = bin and key_of()
    if not name then return 0 end
    local k = monitor:at(state, read_message("Timestamp"), name)
    if not k then return 0 end
    local counts = k.bins[1]
    k.n[1], counts[bin] = k.n[1] + 1, counts[bin] + 1
    return 0
end

local function show_shares()
    add_to_payload("Key\tBucket\tUsual share\n")
    for name, k in pairs(state.keys) do
        for bin, usual in ipairs(k.shares[1]) do
            if usual > 0 then add_to_payload(name, "\t", label(bin), "\t", usual, "\n") end
        end
    end
    inject_payload("tsv", monitor.title .. "_shares")
end

function timer_event(ns, shutdown)
    monitor:timer(state, ns, shutdown)
    show_shares()
end
