-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# DocType monitor: what is wrong with a kind of documents

Watches what the loader makes of each kind of documents (namespace/docType), and sends one alert when something about it is strange.
What it has learned and its refractory periods outlive a restart. The graphs are `doctype_volume` and so on, the table `doctype`.

| measure | value of a row | strange is, unless the configuration says something else |
|---|---|---|
| errors | percent of the submissions of the last `window` that were refused | 5 or more; the detail names the most frequent reasons |
| volume | submissions | `inactivity`: none for 5 times as long as gaps usually last; `volume`: far from what this hour of the week has |
| duplicates | percent of the submissions of the last `window` that had come before | 5 or more |
| latency | percent of the documents of the last `window` that were made more than `latency_hours` before they came | 33 or more |
| size | average bytes of a document | far from the median of the rows before |
| sizes | how unlike the usual ones the distribution of sizes is (powers of two) | unlike each of the 24 rows before |
| structure | how unlike the usual ones the names of Fields and keys are | a name became half as frequent, or twice |

Percentages need `minimum` submissions. `structure` looks at a sample of the documents: at the names of their Fields and, where
`structure_variable` is JSON, at its keys on the first two levels.

## Sample configuration

```lua
filename         = "doctype_monitor.lua"
message_matcher  = "Type == 'telemetry' || Type == 'validated' || Type =~ 'error$' || Type =~ 'duplicate$'"
ticker_interval  = 60
preserve_data    = true
preserve_interval = 60
memory_limit     = 64 * 1024 * 1024
output_limit     = 1024 * 1024
-- key                = { "Logger", "Fields[docType]" }
-- latency_variable   = "Fields[creationTimestamp]" -- nanoseconds
-- latency_hours      = 24
-- window             = 3600 -- seconds that percentages are of
-- minimum            = 1000 -- submissions that a percentage and a distribution need
-- structure_variable = "Fields[submission]"
-- structure_sample   = 100  -- every how many documents of a kind the structure is looked at; 0 for never
-- sec_per_row        = 60
-- rows               = 1440 -- of the graphs; rows * keys_max is bounded by output_limit
-- keys_max           = 10   -- kinds that are watched, the first ones that come; others are counted together
-- refractory         = 21600 -- seconds without another alert of the same kind
-- confirm            = 1    -- rows in succession that must be strange
-- title              = "doctype"
-- preservation_version = 0
alert = {
    modules = { email = { recipients = { "ops@example.com" } } },
    thresholds = { -- checks by kind and measure; see modules/monitor/watch.lua
        ["telemetry/main"] = {
            errors = { { kind = "limit", high = 0.5 } },
            latency = false,
        },
    },
}
```

## Alerts

The id is `KIND.NAME`, for instance `telemetry/main.errors` or `web/visit.inactivity`. Times are those of the messages.
--]]

local cjson  = require "cjson"
local key    = require "monitor.key"
local math   = require "math"
local string = require "string"
local table  = require "table"
local watch  = require "monitor.watch"

local latency_variable   = read_config("latency_variable") or "Fields[creationTimestamp]"
local latency_ns         = (read_config("latency_hours") or 24) * 3600e9
local structure_variable = read_config("structure_variable") or "Fields[submission]"
local structure_sample   = read_config("structure_sample") or 100
local sec_per_row        = read_config("sec_per_row") or 60

local window_rows = math.max(1, math.floor((read_config("window") or 3600) / sec_per_row))
local minimum     = read_config("minimum") or 1000
local SIZE_BINS   = 32
-- Names that are told apart; the last bin is that of all others.
local NAME_BINS   = 128
local NAME_LEVELS = 2
-- Reasons of errors that are counted one by one, for each kind and hour.
local REASONS_MAX = 50
local REASONS_SHOWN = 3

local ERRORS, VOLUME, DUPLICATES, LATENCY, SIZE, SIZES, STRUCTURE = 1, 2, 3, 4, 5, 6, 7

names   = {} -- of Fields and keys -> bin
labels  = {} -- the other way
reasons = {} -- by kind: counts of this hour and of the one before

local floor, log = math.floor, math.log
local read_message = read_message

local function name_of_bin(bin)
    return labels[bin] or "(others)"
end

local function share(name, high)
    return { name = name, kind = "share", unit = "%", window = window_rows, minimum = minimum, checks = { { kind = "limit", high = high } } }
end

local function explain(kind, measure)
    local of_kind = measure.name == "errors" and reasons[kind]
    if not of_kind then return nil end
    local counts, order = {}, {}
    for _, hour in ipairs { of_kind.before, of_kind.now } do
        for reason, n in pairs(hour) do counts[reason] = (counts[reason] or 0) + n end
    end
    for reason in pairs(counts) do order[#order + 1] = reason end
    table.sort(order, function(a, b) return counts[a] > counts[b] or counts[a] == counts[b] and a < b end)
    local lines = {}
    for i = 1, math.min(REASONS_SHOWN, #order) do lines[i] = string.format("%d times: %s", counts[order[i]], order[i]) end
    return table.concat(lines, "\n")
end

local monitor = watch.new {
    title = "doctype",
    explain = explain,
    measures = {
        share("errors", 5),
        { name = "volume", kind = "count", checks = {
            { kind = "gap", name = "inactivity", resolution = sec_per_row, longest = math.max(3600, 20 * sec_per_row) },
            { kind = "seasonal" },
        } },
        share("duplicates", 5),
        share("latency", 33),
        { name = "size", kind = "average", unit = "B", minimum = 10, checks = { { kind = "robust", threshold = 10, floor = 0.05 } } },
        { name = "sizes", kind = "histogram", bins = SIZE_BINS, minimum = minimum, checks = { { kind = "histogram", rows = 24 } },
            label = function(bin) return string.format("%d B and more", 2 ^ (bin - 1)) end },
        { name = "structure", kind = "histogram", bins = NAME_BINS, minimum = 20, label = name_of_bin,
            checks = { { kind = "shares", change = 0.5 } } },
    },
}
_PRESERVATION_VERSION = monitor:version(read_config("preservation_version"))
state = monitor:state()

local key_of = key.new(read_config("key") or { "Logger", "Fields[docType]" })

local function count_reason(kind, ns)
    local hour = floor(ns / 3600e9)
    local of_kind = reasons[kind]
    if not of_kind or of_kind.hour ~= hour then
        local before = of_kind and of_kind.hour == hour - 1 and of_kind.now or {}
        of_kind = { hour = hour, now = {}, before = before, n = 0 }
        reasons[kind] = of_kind
    end
    local reason = read_message("Fields[DecodeError]") or "(none)"
    local count = of_kind.now[reason]
    if not count then
        if of_kind.n >= REASONS_MAX then reason = "(others)" else of_kind.n = of_kind.n + 1 end
        count = of_kind.now[reason] or 0
    end
    of_kind.now[reason] = count + 1
end

local function bin_of(name)
    local bin = names[name]
    if bin then return bin end
    bin = #labels + 1
    if bin >= NAME_BINS then return NAME_BINS end
    names[name], labels[bin] = bin, name
    return bin
end

local function count_keys(bins, document, prefix, level)
    for name, value in pairs(document) do
        if type(name) == "string" then
            local path = prefix .. name
            local bin = bin_of(path)
            bins[bin] = bins[bin] + 1
            if level < NAME_LEVELS and type(value) == "table" then count_keys(bins, value, path .. ".", level + 1) end
        end
    end
end

local function look_at_structure(k)
    local bins = k.bins[STRUCTURE]
    k.n[STRUCTURE] = k.n[STRUCTURE] + 1
    for _, field in ipairs(decode_message(read_message("raw")).Fields or {}) do
        local bin = bin_of(field.name)
        bins[bin] = bins[bin] + 1
    end
    local ok, document = pcall(cjson.decode, read_message(structure_variable))
    if ok and type(document) == "table" then count_keys(bins, document, "", 1) end
end

local function count_document(k, ns)
    local n, sum = k.n, k.sum
    local size = read_message("size")
    n[SIZE], sum[SIZE] = n[SIZE] + 1, sum[SIZE] + size
    local bins, bin = k.bins[SIZES], math.min(SIZE_BINS, floor(log(size + 1) / log(2)) + 1)
    n[SIZES], bins[bin] = n[SIZES] + 1, bins[bin] + 1
    local made = read_message(latency_variable)
    if type(made) == "number" then
        n[LATENCY] = n[LATENCY] + 1
        if ns - made > latency_ns then sum[LATENCY] = sum[LATENCY] + 1 end
    end
    if structure_sample > 0 then
        k.skipped = (k.skipped or structure_sample) + 1
        if k.skipped >= structure_sample then
            k.skipped = 0
            look_at_structure(k)
        end
    end
end

function process_message()
    local kind = key_of()
    if not kind then return 0 end
    local ns = read_message("Timestamp")
    local k = monitor:at(state, ns, kind)
    if not k then return 0 end
    local n, sum = k.n, k.sum
    n[VOLUME], n[ERRORS], n[DUPLICATES] = n[VOLUME] + 1, n[ERRORS] + 1, n[DUPLICATES] + 1
    local what = read_message("Type")
    if what == "error" or what == "telemetry.error" then
        sum[ERRORS] = sum[ERRORS] + 1
        count_reason(kind, ns)
    elseif what == "duplicate" or what == "telemetry.duplicate" then
        sum[DUPLICATES] = sum[DUPLICATES] + 1
    else
        count_document(k, ns)
    end
    return 0
end

function timer_event(ns, shutdown)
    for kind in pairs(reasons) do
        if not state.keys[kind] then reasons[kind] = nil end
    end
    monitor:timer(state, ns, shutdown)
end
