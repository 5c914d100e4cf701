-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Statsd: metrics as text, gathered and summed up for each flush

A metric is one line, `name:value|type[|@rate][|#tag,key:value]`:

| type | meaning | message Type | Fields beside `name` |
|---|---|---|---|
| c | a counter; the value (1 if it is empty) is divided by the rate | statsd.counter | `count`, `rate` (per second) |
| g | a gauge; with a sign it is added to what was there | statsd.gauge | `value` |
| s | a set; different values are counted | statsd.set | `count` |
| ms | a time in milliseconds, not negative | statsd.timer | below |
| h, d | any numbers, otherwise as a time | statsd.histogram | below |

Times and histograms give `count` (divided by the rate), `count_ps` (per second), `lower upper sum sum_squares mean
median std`; for each percentile N `count_N mean_N upper_N sum_N sum_squares_N` of the values up to it (a negative N
counts from the top, its Fields end with `_topN` and have `lower` for `upper`); for each bin B of a histogram
`histogram.bin_B`, the values below B and not below the bin before.

A line may hold several values, each with its type (`a:1|c:2|c`) or with one for all (`a:1:2|ms`). A tag becomes the
Field `tag.KEY`, its value "" where it has none; a name with other tags is another series. In names a run of white space
becomes `_`, a slash `-`, and what is not a letter, a digit or one of `_-.;=` is left out. A gauge is repeated at each
flush; other series end with the flush.

## Functions

`metrics = statsd.new(config)`, where config may have

```lua
percentiles   = { 90 }
histogram     = { { metric = "render", bins = { 10, 100, "inf" } } } -- the first whose metric the name contains
keys_max      = 10000    -- series at a time; lines of further ones are dropped and counted
bytes_max     = 8388608  -- what values of timers and sets take at a time, about; further ones are dropped and counted
gauges_kept   = 360      -- flushes after which a gauge that nobody sets is forgotten
gauges        = {}       -- where gauges are kept; a global table of the plugin outlives a restart
```

`metrics.add(data)` takes lines. `metrics.flush(seconds, emit)` calls `emit(type, fields)` for each series and begins
anew; `seconds` is the time since the last flush. Counters of its own are in every flush: `statsd.packets_received`,
`statsd.metrics_received`, `statsd.bad_lines_seen`, `statsd.keys_dropped`, `statsd.values_dropped`.
--]]

local math   = require "math"
local string = require "string"
local table  = require "table"

local abs, floor, huge, sqrt = math.abs, math.floor, math.huge, math.sqrt
local find, gmatch, gsub, match, sub = string.find, string.gmatch, string.gsub, string.match, string.sub
local concat, sort = table.concat, table.sort
local assert, ipairs, pairs, tonumber, tostring, type = assert, ipairs, pairs, tonumber, tostring, type

local M = {}
setfenv(1, M)

-- Longer lines are no metrics.
local LINE_MAX = 8192
-- A series with more tags is a bad line.
local TAGS_MAX = 32
-- What a value of a timer and a member of a set take beside their own bytes.
local VALUE_BYTES, MEMBER_BYTES = 16, 64

local TYPES = { c = "counter", g = "gauge", s = "set", ms = "timer", h = "histogram", d = "histogram" }

local function sanitized(name)
    name = gsub(gsub(name, "%s+", "_"), "/", "-")
    return (gsub(name, "[^%w_%-%.;=]", ""))
end

-- A finite decimal number, or nil.
local function number(text)
    if not find(text, "^[+-]?%d*%.?%d*[eE]?[+-]?%d*$") then return nil end
    local n = tonumber(text)
    if n and abs(n) < huge then return n end
end

-- The tags in a fixed order, so that one series has one name; nil when they are too many.
local function sorted_tags(text)
    local tags = {}
    for tag in gmatch(text, "[^,]+") do
        if #tags >= TAGS_MAX then return nil end
        tags[#tags + 1] = tag
    end
    sort(tags)
    return tags
end

-- What stands behind a value from `at` on: its type, rate, the text of its tags, and the place behind; nil when it is no
-- such thing. Tags may hold colons; what a container or a client's clock says of itself is skipped.
local function attributes(rest, at)
    local kind, rate, tags = nil, 1, ""
    kind, at = match(rest, "^%s*(%a+)%s*()", at)
    if not TYPES[kind] then return nil end
    while sub(rest, at, at) == "|" do
        local mark, text = sub(rest, at + 1, at + 1), nil
        if mark == "@" then
            text, at = match(rest, "^([^:|]*)()", at + 2)
            rate = number((gsub(text, "%s", "")))
            if not rate or rate <= 0 or rate > 1 then return nil end
        elseif mark == "#" then
            tags, at = match(rest, "^([^|]*)()", at + 2)
        elseif mark == "c" or mark == "T" or mark == "e" then
            at = match(rest, "^[^|]*()", at + 2)
        else
            return nil
        end
    end
    at = match(rest, "^%s*()", at)
    if at <= #rest and sub(rest, at, at) ~= ":" then return nil end
    return kind, rate, (gsub(tags, "%s+$", "")), at
end

local function check_list(config, key)
    local list = config[key] or {}
    assert(type(list) == "table", key .. " must be a table")
    return list
end

-- The names of the Fields of a percentile.
local function percentile(pct)
    assert(type(pct) == "number" and pct ~= 0 and abs(pct) <= 100, "percentiles must be -100 to 100 and not 0")
    local suffix = gsub(gsub(tostring(pct), "%.", "_"), "-", "top")
    return {
        pct = pct,
        count = "count_" .. suffix,
        mean = "mean_" .. suffix,
        edge = (pct > 0 and "upper_" or "lower_") .. suffix,
        sum = "sum_" .. suffix,
        sum_squares = "sum_squares_" .. suffix,
    }
end

local function add_percentile(fields, p, values, sums, squares)
    local n = #values
    local inside = n
    if n > 1 then inside = floor(abs(p.pct) / 100 * n + 0.5) end
    if inside == 0 then return end
    local first = p.pct > 0 and 0 or n - inside
    local last = first + inside
    local sum = sums[last] - sums[first]
    fields[p.count] = inside
    fields[p.mean] = sum / inside
    fields[p.edge] = p.pct > 0 and values[last] or values[first + 1]
    fields[p.sum] = sum
    fields[p.sum_squares] = squares[last] - squares[first]
end

local function add_bins(fields, bins, values)
    local at = 1
    for _, bin in ipairs(bins) do
        local count = 0
        while at <= #values and (bin == "inf" or values[at] < bin) do
            count, at = count + 1, at + 1
        end
        fields["histogram.bin_" .. gsub(tostring(bin), "%.", "_")] = count
    end
end

local function add_statistics(fields, values, percentiles, bins)
    sort(values)
    local n = #values
    local sums, squares = { [0] = 0 }, { [0] = 0 }
    for i = 1, n do
        sums[i] = sums[i - 1] + values[i]
        squares[i] = squares[i - 1] + values[i] * values[i]
    end
    local mean, differences = sums[n] / n, 0
    for i = 1, n do differences = differences + (values[i] - mean) ^ 2 end
    local middle = floor(n / 2)
    fields.lower, fields.upper = values[1], values[n]
    fields.sum, fields.sum_squares = sums[n], squares[n]
    fields.mean, fields.std = mean, sqrt(differences / n)
    fields.median = n % 2 == 1 and values[middle + 1] or (values[middle] + values[middle + 1]) / 2
    for _, p in ipairs(percentiles) do add_percentile(fields, p, values, sums, squares) end
    if bins then add_bins(fields, bins, values) end
end

local function check_histogram(config)
    local histogram = check_list(config, "histogram")
    for _, entry in ipairs(histogram) do
        assert(type(entry) == "table" and type(entry.metric) == "string" and type(entry.bins) == "table",
            "histogram must hold tables with metric and bins")
    end
    return histogram
end

function new(config)
    local keys_max    = config.keys_max or 10000
    local bytes_max   = config.bytes_max or 8388608
    local gauges_kept = config.gauges_kept or 360
    local gauges      = config.gauges or {}
    local histogram   = check_histogram(config)
    local percentiles = {}
    for i, pct in ipairs(config.percentiles or { 90 }) do percentiles[i] = percentile(pct) end

    -- Series by type and by what names them; a gauge is { value, flushes without a new one, name, tags }.
    local series = { counter = {}, gauge = gauges, set = {}, timer = {}, histogram = {} }
    local n_gauges = 0
    for _ in pairs(gauges) do n_gauges = n_gauges + 1 end
    local n_keys, bytes = n_gauges, 0
    local packets, metrics, bad_lines, keys_dropped, values_dropped = 0, 0, 0, 0, 0

    -- The series with this name and these tags; nil when there is no room for another.
    local function find_series(kind, name, tags)
        local key = name .. "|" .. concat(tags, ",")
        local found = series[kind][key]
        if found then return found end
        if n_keys >= keys_max then
            keys_dropped = keys_dropped + 1
            return nil
        end
        n_keys = n_keys + 1
        found = { name = name, tags = tags }
        series[kind][key] = found
        return found
    end

    local function has_room(size)
        if bytes + size > bytes_max then
            values_dropped = values_dropped + 1
            return false
        end
        bytes = bytes + size
        return true
    end

    local add_to = {}

    function add_to.counter(s, value, text, rate)
        s.count = (s.count or 0) + value / rate
    end

    function add_to.gauge(s, value, text)
        s.value = find(text, "^[+-]") and (s.value or 0) + value or value
        s.idle = 0
    end

    function add_to.set(s, value, text)
        if text == "" then text = "0" end
        s.members = s.members or {}
        if s.members[text] or not has_room(MEMBER_BYTES + #text) then return end
        s.members[text] = true
        s.n_members = (s.n_members or 0) + 1
    end

    function add_to.timer(s, value, text, rate)
        s.values = s.values or {}
        s.count = (s.count or 0) + 1 / rate
        if has_room(VALUE_BYTES) then s.values[#s.values + 1] = value end
    end

    add_to.histogram = add_to.timer

    -- Whether the value is one of its type: a number, or any text for a set.
    local function value_of(kind, text)
        if kind == "s" then return true end
        if text == "" and kind == "c" then return 1 end
        local value = number(text)
        if value and not (kind == "ms" and value < 0) then return value end
    end

    local function add_value(name, kind, rate, tags, text)
        local value = value_of(kind, match(text, "^%s*(.-)%s*$"))
        if not value then
            bad_lines = bad_lines + 1
            return
        end
        metrics = metrics + 1
        local s = find_series(TYPES[kind], name, tags)
        if s then add_to[TYPES[kind]](s, value, text, rate) end
    end

    local pending = {}

    -- Adds the values that wait for what stands at `at`, and returns the place behind it.
    local function add_pending(name, n_pending, rest, at)
        local kind, rate, tag_text, behind = attributes(rest, at)
        local tags = kind and sorted_tags(tag_text)
        if not tags then
            bad_lines = bad_lines + n_pending
            return match(rest, "^[^:]*()", at)
        end
        for i = 1, n_pending do add_value(name, kind, rate, tags, pending[i]) end
        return behind
    end

    local function add_line(line)
        local name, rest = match(line, "^([^:|]*):?(.*)$")
        name = sanitized(name)
        if #line > LINE_MAX or name == "" or not find(rest, "|", 1, true) then
            bad_lines = bad_lines + 1
            return
        end
        -- Values wait until one that has a type.
        local n_pending, at = 0, 1
        while true do
            local text, mark
            text, mark, at = match(rest, "^([^:|]*)([:|]?)()", at)
            n_pending = n_pending + 1
            pending[n_pending] = text
            if mark == "|" then
                at = add_pending(name, n_pending, rest, at)
                n_pending = 0
                if at > #rest then return end
                at = at + 1
            elseif mark == "" then
                break
            end
        end
        bad_lines = bad_lines + 1
    end

    local function emit_series(kind, s, fields, emit)
        fields.name = s.name
        for _, tag in ipairs(s.tags) do
            local key, value = match(tag, "^([^:]*):(.*)$")
            fields["tag." .. (key or tag)] = value or ""
        end
        emit("statsd." .. kind, fields)
    end

    local function bins_of(name)
        for _, entry in ipairs(histogram) do
            if find(name, entry.metric, 1, true) then return entry.bins end
        end
    end

    local function flush_gauges(emit)
        n_gauges = 0
        for key, gauge in pairs(gauges) do
            emit_series("gauge", gauge, { value = gauge.value }, emit)
            gauge.idle = gauge.idle + 1
            if gauge.idle > gauges_kept then gauges[key] = nil else n_gauges = n_gauges + 1 end
        end
    end

    local function flush_values(kind, seconds, emit)
        for _, s in pairs(series[kind]) do
            local fields = { count = s.count, count_ps = s.count / seconds }
            -- All its values may have been dropped.
            if s.values[1] then add_statistics(fields, s.values, percentiles, bins_of(s.name)) end
            emit_series(kind, s, fields, emit)
        end
        series[kind] = {}
    end

    local function emit_counter(s, seconds, emit)
        emit_series("counter", s, { count = s.count, rate = s.count / seconds }, emit)
    end

    local function flush_own(seconds, emit)
        local own = {
            packets_received = packets, metrics_received = metrics, bad_lines_seen = bad_lines,
            keys_dropped = keys_dropped, values_dropped = values_dropped,
        }
        for name, count in pairs(own) do
            emit_counter({ name = "statsd." .. name, tags = {}, count = count }, seconds, emit)
        end
        packets, metrics, bad_lines, keys_dropped, values_dropped = 0, 0, 0, 0, 0
    end

    local self = {}

    function self.add(data)
        packets = packets + 1
        for line in gmatch(data, "[^\r\n]+") do add_line(line) end
    end

    -- Counts a line that did not come as a whole.
    function self.add_bad_line()
        bad_lines = bad_lines + 1
    end

    function self.flush(seconds, emit)
        for _, s in pairs(series.counter) do emit_counter(s, seconds, emit) end
        series.counter = {}
        for _, s in pairs(series.set) do emit_series("set", s, { count = s.n_members or 0 }, emit) end
        series.set = {}
        flush_values("timer", seconds, emit)
        flush_values("histogram", seconds, emit)
        flush_gauges(emit)
        flush_own(seconds, emit)
        n_keys, bytes = n_gauges, 0
    end

    return self
end

return M
