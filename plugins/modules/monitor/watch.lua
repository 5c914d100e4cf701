-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Watch: rows of measures by key, with checks, graphs and alerts

What the monitors have in common. Time is cut into rows. For each key (a kind of documents, a host ...) each measure gives a value at
the end of a row; the value goes into a graph with a column for each key and to the checks of the measure. When one of them finds it
strange an alert is sent, at most one for a key in its refractory period, and the graph gets an annotation.

## Functions

`new(options)` returns a watch. Those with a default are keys of the plugin's configuration; what the plugin gives is their default:

| option | default | meaning |
|---|---|---|
| measures | | list of measures, the most telling first: an alert is named after the first strange one |
| title | "monitor" | begins the names of all payloads |
| sec_per_row | 60 | seconds of a row |
| rows | 1440 | rows of the graphs. A key that was silent for so long is forgotten |
| keys_max | 10 | keys that are watched, at most 256; messages of further ones are counted only |
| refractory | 21600 | seconds without another alert of a key |
| bounds | false | true: the graphs also have the bands of normal of measures whose checks know one (see `bounds` in reference/detector.md); they take three times the space |
| confirm | 1 | rows in succession that must be strange |
| others | | names of measures of another watch of the plugin, which `thresholds` may have too |
| payloads | 0 | what the plugin injects beside the watch in `timer_event` |
| choose | | `choose(state, ns, strange)` gets the strange keys, sorted, and returns those that get an alert |
| explain | | `explain(key, measure, k)` returns text for the detail of an alert, or nil |

| method | result |
|---|---|
| `w:state()` | a new state: plain data that belongs into a global of the plugin |
| `w:version(n)` | the `_PRESERVATION_VERSION` of this shape of the state, and of the number n (default 0) |
| `w:at(state, ns, key)` | moves the time on, and returns the record of the key, or nil where the message does not count |
| `w:show(state, inject_payload, ...)` | calls it with these arguments; a payload that is too large for the limits is counted, and the plugin goes on |
| `w:timer(state, ns, shutdown)` | moves the time on where no messages come, sends alerts, injects the graphs and the table |

What a message adds goes straight into the record `k`, `i` being the number of the measure: `k.n[i]`, `k.sum[i]`, `k.bins[i][bin]`, or
`w:unique(k, i, item)`.

## Measures

`{ name =, kind =, unit = "count", minimum = 0, window = 1, checks = {...}, graph = true }`

| kind | value of a row |
|---|---|
| count | n |
| sum | sum |
| average | sum / n |
| share | 100 * sum / n, in percent |
| max | sum, which the plugin raises; it begins anew with each row |
| last | sum as it was left |
| unique | distinct items, by a HyperLogLog of 12 KiB for each key and row of the window |
| histogram | `bins` counts, n of which is the number of messages; the value is how strange it is. `label(bin)` names one |

With fewer than `minimum` messages (n) there is no value; a histogram waits for more. A `window` takes that many newest rows together;
it is for count, sum, average, share and unique.

## Checks

| kind | strange is |
|---|---|
| limit | a value from `high` on upwards or from `low` on downwards |
| shares | (histogram) a bin whose share of the messages is `change` (0.3) away from its usual one. Known after 5 rows |
| histogram | (histogram) see `detector.histogram` in reference/detector.md: `rows`, `pearson`, `bhattacharyya` |
| consensus | what `need` of its `detectors`, a list of checks, find strange `within` so many seconds |
| others | see reference/detector.md; they have no `refractory` of their own |

`name` of a check names its alerts, `label` is what their texts call it; default is the name of the measure. The configuration may replace checks:

```lua
alert = {
    thresholds = {
        ["telemetry/main"] = { errors = { { kind = "limit", high = 5 } }, volume = false },
        ["*"] = {},
    },
}
```

by key (`*` for all others) and measure; `false` is no checks.

## Alerts

The id is `KEY.NAME`. The detail says what the value was, what it usually is (an average of the rows that were far from strange, and
the value a day before where the graph holds it), since when it is strange, what else about the key is strange, and which graph shows it.

## Sizes

A graph has `rows * keys_max` cells of 4 to 14 bytes, with bands three times as many; `output_limit` of the plugin and `max_message_size` of the main configuration must
allow that. A payload that they do not allow is left out, counted as unshown in the table, and the reason logged; alerts go on.

## Late and early messages

A message of the row before counts into the present one; older ones are counted as late. One that is more than 288 rows ahead is counted
as ahead and ignored, unless three of them come in succession: then the time leaps. When the time moves on over several rows, silent rows
are given to the checks too, at most 288 and less for many keys. Without messages the watch follows the engine's time, as far behind it as the
messages were.
--]]

require "circular_buffer"
local alert       = require "heka.alert"
local detector    = require "detector"
local hyperloglog = require "hyperloglog"
local math        = require "math"
local alerts      = require "monitor.alerts"
local string      = require "string"
local table       = require "table"

local abs, floor, max, min = math.abs, math.floor, math.max, math.min
local concat, sort = table.concat, table.sort
local byte, format, sub = string.byte, string.format, string.sub
local new_cb = circular_buffer.new
local date = alerts.date
local add_to_payload, inject_payload, read_config = add_to_payload, inject_payload, read_config
local assert, error, ipairs, pairs, pcall, print = assert, error, ipairs, pairs, pcall, print
local setmetatable, tostring, type = setmetatable, tostring, type

local M = {}
setfenv(1, M)

local KEYS_MAX     = 256  -- columns of a graph
local WINDOW_MAX   = 1440
local BINS_MAX     = 256
local CATCH_UP_MAX = 288  -- silent rows that the checks see
local WORK_MAX     = 2000 -- values that one call may give to checks beside the row that ends
local LEAPS_MAX    = 3
local USUAL_WEIGHT = 0.1  -- of the newest row in the usual value
local LEANING      = 0.5  -- the score up to which a row is usual
local USUAL_STEP   = 0.02 -- how far one row moves the usual value at most
local USUAL_ROWS   = 5    -- until usual shares are known
local SCORE_MAX    = 1000
local HEADER_MAX   = 15   -- letters of a column's name
local DAY_NS       = 86400e9
local NAN          = 0 / 0

-- What the configuration may set, and the defaults.
local SETTINGS = { title = "monitor", sec_per_row = 60, rows = 1440, keys_max = 10, refractory = 21600, confirm = 1, bounds = false }

local w = {}
w.__index = w

-- Kinds of measures: the value of a row.
local value_of = {}

function value_of.count(n) return n end
function value_of.sum(_, sum) return sum end
value_of.max  = value_of.sum
value_of.last = value_of.sum
function value_of.average(n, sum) return n > 0 and sum / n or NAN end
function value_of.share(n, sum) return n > 0 and 100 * sum / n or NAN end

local BANDED = { robust = true, seasonal = true, consensus = true }
local SPECIAL = { unique = true, histogram = true }
local WINDOWED = { count = true, sum = true, average = true, share = true, unique = true }

local function parameters(check)
    local params = {}
    for name, value in pairs(check) do
        if name ~= "kind" and name ~= "name" and name ~= "label" then params[name] = value end
    end
    return params
end

-- What a check needs to be remembered for a key; nil for nothing. Also the check of the configuration.
local function make_check(check, measure)
    assert(type(check) == "table" and type(check.kind) == "string", "a check must be a table with a kind")
    local params = parameters(check)
    if check.kind == "limit" then
        assert(type(check.high or check.low) == "number", "a limit needs high or low")
        return nil
    end
    local of_histogram = check.kind == "shares" or check.kind == "histogram"
    if of_histogram ~= (measure.kind == "histogram") then error(format("%s cannot be a check of %s", check.kind, measure.name)) end
    if check.kind == "shares" then return nil end
    assert(params.refractory == nil, "refractory is one of the monitor, not of a check")
    params.refractory = 0
    if check.kind == "histogram" then
        params.count = 0
        return detector.histogram(measure.bins, params)
    end
    if check.kind == "consensus" then
        assert(type(params.detectors) == "table", "a consensus needs detectors")
        local members = {}
        for i, member in ipairs(params.detectors) do members[i] = make_check(member, measure) end
        params.detectors = members
    end
    return detector.new(check.kind, params)
end

local function check_measure(measure)
    assert(value_of[measure.kind] or SPECIAL[measure.kind], format("unknown kind of measure '%s'", tostring(measure.kind)))
    measure.unit, measure.minimum, measure.window = measure.unit or "count", measure.minimum or 0, measure.window or 1
    assert(measure.window >= 1 and measure.window <= WINDOW_MAX, "window must be 1 to 1440")
    assert(measure.window == 1 or WINDOWED[measure.kind], "this kind of measure has no window")
    if measure.kind == "histogram" then
        assert(measure.bins >= 2 and measure.bins <= BINS_MAX, "bins must be 2 to 256")
    end
    measure.checks = measure.checks or {}
    for _, check in ipairs(measure.checks) do make_check(check, measure) end
end

-- The thresholds of the configuration name measures, and their checks can be made.
local function check_thresholds(self)
    local others = {}
    for _, name in ipairs(self.others or {}) do others[name] = { name = name, kind = "count" } end
    for key, settings in pairs(alert.thresholds) do
        assert(type(settings) == "table", format("thresholds of %s must be a table", key))
        for name, checks in pairs(settings) do
            local measure = self.by_name[name] or others[name] or error(format("%s: there is no measure '%s'", key, tostring(name)))
            assert(checks == false or type(checks) == "table", format("%s: %s must be a list of checks or false", key, name))
            for _, check in ipairs(checks or {}) do make_check(check, measure) end
        end
    end
end

-- Whether one of the checks can say what is normal.
local function has_band(measure)
    for _, check in ipairs(measure.checks) do
        if BANDED[check.kind] then return true end
    end
    return false
end

function new(options)
    local self = setmetatable({}, w)
    for name, value in pairs(options) do self[name] = value end
    for name, default in pairs(SETTINGS) do
        self[name] = read_config(name) or options[name] or default
        assert(type(self[name]) == type(default), format("%s must be a %s", name, type(default)))
    end
    assert(self.sec_per_row > 0, "sec_per_row must be greater than 0")
    assert(self.keys_max > 0 and self.keys_max <= KEYS_MAX, "keys_max must be 1 to 256")
    assert(self.confirm >= 1, "confirm must be at least 1")
    assert(not self.bounds or self.keys_max * 3 <= KEYS_MAX, "keys_max must be 1 to 85 with bounds")
    self.row_ns = self.sec_per_row * 1e9
    self.by_name = {}
    local graphs = 0
    for i, measure in ipairs(self.measures) do
        check_measure(measure)
        measure.band = self.bounds and has_band(measure) or nil
        measure.number, self.by_name[measure.name] = i, measure
        if measure.graph ~= false then graphs = graphs + 1 end
    end
    check_thresholds(self)
    self.alerts = alerts.new { refractory = self.refractory, payloads = graphs + 1 + (options.payloads or 0) }
    return self
end

-- Canonical text of plain data, by which a changed configuration is noticed.
local function describe(value, out)
    if type(value) ~= "table" then
        out[#out + 1] = type(value) ~= "function" and tostring(value) or "f"
        return
    end
    local names = {}
    for name in pairs(value) do names[#names + 1] = name end
    sort(names, function(a, b) return tostring(a) < tostring(b) end)
    for _, name in ipairs(names) do
        out[#out + 1] = tostring(name)
        describe(value[name], out)
    end
end

function w:version(n)
    local out = {}
    describe({ self.sec_per_row, self.rows, self.keys_max, self.measures, self.others or {}, alert.thresholds }, out)
    local text, hash = concat(out, "\n"), 0
    for i = 1, #text do hash = (hash * 31 + byte(text, i)) % 2147483647 end
    return hash * 65536 + (n or 0)
end

function w:state()
    local graphs = {}
    for i, measure in ipairs(self.measures) do
        local columns = measure.band and self.keys_max * 3 or self.keys_max
        if measure.graph ~= false then graphs[i] = new_cb(self.rows, columns, self.sec_per_row) end
    end
    return {
        row = -1, newest = 0, behind = 0, heard = false, leaps = 0, keys = {}, columns = {}, n_keys = 0, graphs = graphs,
        late = 0, ahead = 0, more = 0, unshown = 0, alerts = self.alerts:state(),
    }
end

-- Counts of a window's rows, and where the newest row goes.
local function make_ring(window)
    local ring = { at = 1, n = {}, sum = {} }
    for i = 1, window do ring.n[i], ring.sum[i] = 0, 0 end
    return ring
end

local function zeros(n)
    local list = {}
    for i = 1, n do list[i] = 0 end
    return list
end

local function checks_of(key, measure)
    local own = alert.get_threshold(key)
    local checks = own and own[measure.name]
    if checks == nil then return measure.checks end
    return checks or {}
end

local function header(key)
    return #key > HEADER_MAX and sub(key, -HEADER_MAX) or key
end

local function new_record(self, state, key, column)
    local n = #self.measures
    local k = {
        column = column, seen = state.row, n = zeros(n), sum = zeros(n), score = zeros(n), run = zeros(n),
        since = {}, which = {}, usual = {}, last = {}, detectors = {}, rings = {}, bins = {}, shares = {}, known = zeros(n), items = {}, most = {},
    }
    for i, measure in ipairs(self.measures) do
        k.detectors[i] = {}
        for j, check in ipairs(checks_of(key, measure)) do k.detectors[i][j] = make_check(check, measure) or false end
        if measure.kind == "unique" then
            k.items[i], k.rings[i] = {}, { at = 1 }
            for j = 1, measure.window do k.items[i][j] = hyperloglog.new() end
        elseif measure.kind == "histogram" then
            k.bins[i], k.shares[i] = zeros(measure.bins), zeros(measure.bins)
        elseif measure.window > 1 then
            k.rings[i] = make_ring(measure.window)
        end
        local graph = state.graphs[i]
        if graph then graph:set_header(column, header(key), measure.unit, "none") end
        if graph and measure.band then
            local low = self.keys_max + 2 * column - 1
            graph:set_header(low, header(key), "low", "none")
            graph:set_header(low + 1, header(key), "high", "none")
        end
    end
    return k
end

local function admit(self, state, key)
    if state.n_keys >= self.keys_max then
        state.more = state.more + 1
        return nil
    end
    local column = 1
    while state.columns[column] do column = column + 1 end
    state.n_keys, state.columns[column] = state.n_keys + 1, true
    local k = new_record(self, state, key, column)
    state.keys[key] = k
    return k
end

local function forget(state, key, k)
    state.keys[key], state.columns[k.column] = nil, nil
    state.n_keys = state.n_keys - 1
end

local function windowed(k, i, measure)
    local ring = k.rings[i]
    ring.n[ring.at], ring.sum[ring.at] = k.n[i], k.sum[i]
    ring.at = ring.at % measure.window + 1
    local n, sum = 0, 0
    for j = 1, measure.window do n, sum = n + ring.n[j], sum + ring.sum[j] end
    return n, sum
end

local union = hyperloglog.new()

local function count_unique(k, i, measure)
    local items, ring = k.items[i], k.rings[i]
    local count
    if measure.window == 1 then
        count = items[1]:count()
    else
        union:clear()
        for j = 1, measure.window do union:merge(items[j]) end
        count = union:count()
    end
    ring.at = ring.at % measure.window + 1
    items[ring.at]:clear()
    return count
end

local function limit_score(check, value)
    if value ~= value then return 0 end
    local score = 0
    if check.high then score = check.high > 0 and value / check.high or value >= check.high and 1 or 0 end
    if check.low then
        local below = value > 0 and check.low / value or value <= check.low and SCORE_MAX or 0
        score = max(score, below)
    end
    return max(0, min(score, SCORE_MAX))
end

local function shares_score(k, i, check)
    if k.known[i] < USUAL_ROWS then return 0 end
    local n, bins, usual, furthest = k.n[i], k.bins[i], k.shares[i], 0
    for bin = 1, #bins do furthest = max(furthest, abs(bins[bin] / n - usual[bin])) end
    return furthest / (check.change or 0.3)
end

local function score_of(k, i, j, check, ns, value)
    local made = k.detectors[i][j]
    if check.kind == "limit" then return limit_score(check, value) end
    if check.kind == "shares" then return shares_score(k, i, check) end
    local score, is_alert = made:add(ns, check.kind == "histogram" and k.bins[i] or value)
    return is_alert and max(score, 1) or score
end

-- Gives a value to the checks of a measure.
local function judge(self, key, k, i, measure, ns, value)
    local best, which = 0, nil
    for j, check in ipairs(checks_of(key, measure)) do
        local score = score_of(k, i, j, check, ns, value)
        if score >= 1 and not which then which = j end
        if score > best then best = score end
    end
    k.score[i], k.which[i] = best, which
    if not which then
        k.run[i], k.since[i] = 0, nil
    else
        k.run[i] = k.run[i] + 1
        k.since[i] = k.since[i] or ns
    end
    return which
end

local function learn(k, i, value)
    -- What leans towards strange may be the begin of a fault.
    if k.score[i] >= LEANING or value ~= value then return end
    local usual = k.usual[i]
    if not usual or usual == 0 then
        k.usual[i] = value
        return
    end
    local most = USUAL_STEP * abs(usual)
    k.usual[i] = usual + max(-most, min(most, USUAL_WEIGHT * (value - usual)))
end

-- Usual shares follow strange rows too: what has changed for good is usual after some time.
local function learn_shares(k, i)
    local n, bins, shares, known = k.n[i], k.bins[i], k.shares[i], k.known[i]
    local weight = max(USUAL_WEIGHT, 1 / (known + 1))
    for bin = 1, #bins do
        shares[bin] = shares[bin] + weight * (bins[bin] / n - shares[bin])
    end
    k.known[i] = known + 1
end

local function close_histogram(self, state, key, k, i, measure, ns)
    if k.n[i] == 0 or k.n[i] < measure.minimum then
        k.score[i], k.run[i], k.since[i], k.which[i] = 0, 0, nil, nil
        return
    end
    local which = judge(self, key, k, i, measure, ns, 0)
    if which then k.most[i] = self:most_changed(k, i) end
    learn_shares(k, i)
    k.last[i] = k.score[i]
    if state.graphs[i] then state.graphs[i]:set(ns, k.column, k.score[i]) end
    for bin = 1, measure.bins do k.bins[i][bin] = 0 end
    k.n[i] = 0
end

-- Between which values the checks of a measure take its newest one for normal.
local function show_bounds(self, graph, k, i, ns)
    for _, made in ipairs(k.detectors[i]) do
        local low, high
        if made then low, high = made:bounds() end
        if low then
            local column = self.keys_max + 2 * k.column - 1
            graph:set(ns, column, low)
            graph:set(ns, column + 1, high)
            return
        end
    end
end

local function close_measure(self, state, key, k, i, measure, ns)
    if measure.kind == "histogram" then return close_histogram(self, state, key, k, i, measure, ns) end
    local value
    if measure.kind == "unique" then
        value = count_unique(k, i, measure)
    else
        local n, sum = k.n[i], k.sum[i]
        if k.rings[i] then n, sum = windowed(k, i, measure) end
        value = n >= measure.minimum and value_of[measure.kind](n, sum) or NAN
    end
    judge(self, key, k, i, measure, ns, value)
    learn(k, i, value)
    k.last[i] = value == value and value or nil
    local graph = state.graphs[i]
    if value == value and graph then
        graph:set(ns, k.column, value)
        if measure.band then show_bounds(self, graph, k, i, ns) end
    end
    k.n[i] = 0
    if measure.kind ~= "last" then k.sum[i] = 0 end
end

local function is_strange(self, k)
    for i = 1, #self.measures do
        if k.run[i] >= self.confirm then return true end
    end
    return false
end

local function close_row(self, state, row)
    local ns = row * self.row_ns
    local strange = {}
    for key, k in pairs(state.keys) do
        for i, measure in ipairs(self.measures) do close_measure(self, state, key, k, i, measure, ns) end
        if is_strange(self, k) then strange[#strange + 1] = key end
        if row - k.seen > self.rows then forget(state, key, k) end
    end
    if #strange == 0 then return end
    sort(strange)
    if self.choose then strange = self.choose(state, ns, strange) end
    for _, key in ipairs(strange) do self:report(state, ns, key) end
end

local function advance(self, state, row)
    close_row(self, state, state.row)
    local silent = floor(WORK_MAX / max(1, state.n_keys * #self.measures))
    silent = max(1, min(CATCH_UP_MAX, silent))
    for r = max(state.row + 1, row - silent), row - 1 do close_row(self, state, r) end
    state.row = row
end

-- Moves the time on to a later row; false when the row cannot be true.
local function reach(self, state, row)
    if state.row < 0 then
        state.row = row
    elseif row - state.row > CATCH_UP_MAX then
        state.leaps = state.leaps + 1
        if state.leaps < LEAPS_MAX then return false end
        state.leaps = 0
        advance(self, state, row)
    else
        state.leaps = 0
        advance(self, state, row)
    end
    return true
end

function w:at(state, ns, key)
    local row = floor(ns / self.row_ns)
    if row > state.row then
        if not reach(self, state, row) then
            state.ahead = state.ahead + 1
            return nil
        end
    elseif row < state.row - 1 then
        state.late = state.late + 1
        return nil
    end
    state.heard = true
    if ns > state.newest then state.newest = ns end
    local k = state.keys[key] or admit(self, state, key)
    if k then k.seen = state.row end
    return k
end

function w:unique(k, i, item)
    return k.items[i][k.rings[i].at]:add(item)
end

local function number(value, unit)
    if unit == "count" then return format("%.4g", value) end
    return format("%.4g %s", value, unit)
end

-- The bin whose share is furthest from its usual one, as a text.
function w:most_changed(k, i)
    local measure, n = self.measures[i], k.n[i]
    local furthest, most = -1, 1
    for bin = 1, measure.bins do
        local distance = abs(k.bins[i][bin] / n - k.shares[i][bin])
        if distance > furthest then furthest, most = distance, bin end
    end
    local label = measure.label and measure.label(most) or tostring(most)
    return format("'%s' has a share of %.3g %%, usually %.3g %%", label, 100 * k.bins[i][most] / n, 100 * k.shares[i][most])
end

local function direction(check, value, usual)
    if check.kind == "shape" then return "of an unusual shape" end
    if check.kind == "limit" then return check.high and value and value >= check.high and "high" or "low" end
    if not usual or not value or value == usual then return "strange" end
    return value > usual and "high" or "low"
end

-- One strange measure in words: for a summary, and with its numbers.
local function words(self, key, k, i)
    local measure = self.measures[i]
    local check = checks_of(key, measure)[k.which[i]]
    local name, label = check.name or measure.name, check.label or check.name or measure.name
    if measure.kind == "histogram" then
        return name, format("%s has changed: %s", label, k.most[i]), format("score %.3g by '%s'", k.score[i], check.kind)
    end
    local value, usual = k.last[i], k.usual[i]
    if check.kind == "gap" then
        local text = format("%s, nothing came (usually %s a row)", label, number(usual or 0, measure.unit))
        return name, text, format("score %.3g by 'gap'", k.score[i])
    end
    local has = value and number(value, measure.unit) or "nothing"
    local than = usual and format(", usually %s", number(usual, measure.unit)) or ""
    local text = format("%s is %s (%s%s)", label, direction(check, value, usual), has, than)
    return name, text, format("score %.3g by '%s'", k.score[i], check.kind)
end

local function day_before(self, state, k, i, ns)
    local graph = state.graphs[i]
    local value = graph and self.measures[i].kind ~= "histogram" and graph:get(ns - DAY_NS, k.column)
    if not value or value ~= value then return "" end
    return format("A day before it was %s. ", number(value, self.measures[i].unit))
end

-- Sends the alert of a key; `more` is text for its detail.
function w:report(state, ns, key, more)
    local k = state.keys[key]
    if not k or not self.alerts:rested(state.alerts, ns, key) then return end
    local id, summary, lines = nil, nil, {}
    for i, measure in ipairs(self.measures) do
        if k.run[i] >= self.confirm then
            local name, text, score = words(self, key, k, i)
            local since = format("strange since %s", date(k.since[i]))
            if state.graphs[i] then state.graphs[i]:annotate(ns, k.column, "alert", text) end
            if id then
                lines[#lines + 1] = format("Also: %s, %s, %s.", text, since, score)
            else
                id, summary = key .. "." .. name, key .. ": " .. text
                lines[1] = format("%s in the %d seconds from %s on; %s, %s (1 is where an alert begins). %s", text, self.sec_per_row,
                    date(ns), since, score, day_before(self, state, k, i, ns))
                lines[2] = format("Graph: %s", alert.get_dashboard_uri(self.title .. "_" .. measure.name))
                lines[3] = self.explain and self.explain(key, measure, k)
            end
        end
    end
    lines[#lines + 1] = more
    self.alerts:raise(state.alerts, ns, key, id, summary, concat(lines, "\n"))
end

local function add_table(self, state)
    add_to_payload("Key\tMeasure\tValue\tUsual\tUnit\tScore\tStrange since\n")
    local order = {}
    for key in pairs(state.keys) do order[#order + 1] = key end
    sort(order)
    for _, key in ipairs(order) do
        local k = state.keys[key]
        for i, measure in ipairs(self.measures) do
            add_to_payload(key, "\t", measure.name, "\t", k.last[i] or "-", "\t", k.usual[i] or "-", "\t", measure.unit, "\t",
                format("%.3g", k.score[i]), "\t", k.since[i] and date(k.since[i]) or "-", "\n")
        end
    end
    for _, name in ipairs { "late", "ahead", "more", "unshown" } do
        local what = name == "unshown" and "payloads" or "messages"
        if state[name] > 0 then add_to_payload("(", name, ")\t", what, "\t", state[name], "\t-\tcount\t-\t-\n") end
    end
    if state.alerts.dropped > 0 then add_to_payload("(dropped)\talerts\t", state.alerts.dropped, "\t-\tcount\t-\t-\n") end
end

-- Without messages the rows go on with the engine's time, as far behind it as the messages were.
local function follow(self, state, ns, shutdown)
    if state.row < 0 then return end
    if state.heard then
        state.behind = max(0, ns - state.newest)
        state.heard = false
    elseif not shutdown then
        local row = floor((ns - state.behind) / self.row_ns)
        if row > state.row then advance(self, state, row) end
    end
end

function w:show(state, inject, ...)
    local ok, err = pcall(inject, ...)
    if ok then return end
    state.unshown = state.unshown + 1
    print(err) -- which also forgets what was gathered for the payload
end

local function inject_table(self, state)
    add_table(self, state)
    inject_payload("tsv", self.title)
end

function w:timer(state, ns, shutdown)
    follow(self, state, ns, shutdown)
    self.alerts:send(state.alerts)
    for i, measure in ipairs(self.measures) do
        if state.graphs[i] then self:show(state, inject_payload, "cbuf", self.title .. "_" .. measure.name, state.graphs[i]) end
    end
    self:show(state, inject_table, self, state)
end

return M
