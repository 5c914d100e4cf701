-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Anomaly monitor: alerts when the messages of a kind are more, fewer or other than usual

Counts the messages of each value of `message_variable` (or averages `value_variable` over them) in rows of `sec_per_row`
seconds, gives each complete row to detectors, and sends an alert when one of them finds it strange. The rows are shown as a
graph (payload type "cbuf", name "anomalies") with the alerts as annotations. What the detectors have learned outlives a
restart. Time is that of the messages; without messages that of the engine.

## Sample configuration

```lua
filename         = "anomaly_monitor.lua"
message_matcher  = "Type == 'telemetry'"
ticker_interval  = 60
preserve_data    = true
memory_limit     = 32 * 1024 * 1024
message_variable = "Fields[docType]"  -- nothing: all messages together
-- value_variable = "Fields[size]"    -- its average is watched instead of the number of messages
-- sec_per_row = 300
-- rows = 720                         -- rows of the graph; rows * keys_max is bounded by output_limit
-- keys_max = 10                      -- values of message_variable that are watched, the first ones that come
-- detectors = {                      -- see reference/detector.md; these are the defaults
--     { kind = "seasonal" },
--     { kind = "gap", resolution = 300, refractory = 86400 }, -- not with value_variable
-- }
-- preservation_version = 0
alert = {
    modules = { email = { recipients = { "ops@example.com" } } },
}
```

## Alerts

The id is `KEY.KIND`, the summary says which way it goes, and the detail what the row had and how strange that is. A detector is silent
for its own refractory period; the throttle of `alert` is not used. Alerts wait for the next `ticker_interval`.
--]]

_PRESERVATION_VERSION = read_config("preservation_version") or 0

require "circular_buffer"
require "math"
require "string"
require "table"
local detector = require "detector"
local alert    = require "heka.alert"

local message_variable = read_config("message_variable")
local value_variable   = read_config("value_variable")
local sec_per_row      = read_config("sec_per_row") or 300
local rows             = read_config("rows") or 720
local keys_max         = read_config("keys_max") or 10
local kinds            = read_config("detectors")

assert(sec_per_row > 0, "sec_per_row must be greater than 0")
assert(keys_max > 0 and keys_max <= 200, "keys_max must be 1 to 200")
if not kinds then
    kinds = { { kind = "seasonal" } }
    if not value_variable then kinds[2] = { kind = "gap", resolution = sec_per_row, refractory = 86400 } end
end

local ROW_NS = sec_per_row * 1e9
-- After a longer pause only so many empty rows are given to the detectors.
local CATCH_UP_MAX = 288
-- Alerts that wait for the timer.
local PENDING_MAX = 10
local KEY_MAX = 64

local floor, format = math.floor, string.format

-- Makes the detectors of a key; also the check of the configuration.
local function make_detectors()
    local made = {}
    for i, entry in ipairs(kinds) do
        local params = {}
        for name, value in pairs(entry) do
            if name ~= "kind" then params[name] = value end
        end
        made[i] = detector.new(entry.kind, params)
    end
    return made
end
assert(#make_detectors() > 0, "detectors must not be empty")

cb      = circular_buffer.new(rows, keys_max, sec_per_row)
watched = {}   -- by key: its column, its detectors, count and sum of the row that is not complete
n_keys  = 0
now_row = -1   -- the number of that row

local pending = {}

local function watch(key)
    if n_keys >= keys_max then return nil end
    n_keys = n_keys + 1
    watched[key] = { column = n_keys, detectors = make_detectors(), count = 0, sum = 0 }
    cb:set_header(n_keys, key, value_variable and "average" or "count", value_variable and "none" or "sum")
    return watched[key]
end

local function remember_alert(ns, key, w, kind, value, score)
    local direction = "strange"
    local usual = w.last
    if kind == "gap" then
        direction = "missing"
    elseif usual and value ~= usual then
        direction = value > usual and "high" or "low"
    end
    local summary = format("%s is %s", key, direction)
    local detail = format("%s had %.10g in the %d seconds from %d on; the detector '%s' gives it a score of %.3g, from 1 on it is strange",
        key, value, sec_per_row, ns / 1e9, kind, score)
    cb:annotate(ns, w.column, "alert", format("%s (%s, %.3g)", direction, kind, score))
    if #pending < PENDING_MAX then pending[#pending + 1] = { key .. "." .. kind, summary, detail } end
end

-- Gives the row to the detectors and begins another.
local function close_row(key, w, ns)
    local value = w.count
    if value_variable then value = w.count > 0 and w.sum / w.count or 0 / 0 end
    for i, d in ipairs(w.detectors) do
        local score, is_alert = d:add(ns, value)
        if is_alert then remember_alert(ns, key, w, kinds[i].kind, value, score) end
    end
    w.last = value == value and value or w.last
    w.count, w.sum = 0, 0
end

local function advance(row)
    if now_row < 0 then now_row = row end
    if row - now_row > CATCH_UP_MAX then
        for key, w in pairs(watched) do close_row(key, w, now_row * ROW_NS) end
        now_row = row - CATCH_UP_MAX
    end
    while now_row < row do
        for key, w in pairs(watched) do close_row(key, w, now_row * ROW_NS) end
        now_row = now_row + 1
    end
end

local function key_of()
    local value = message_variable and read_message(message_variable)
    if message_variable and value == nil then return nil end
    return message_variable and string.sub(tostring(value), 1, KEY_MAX) or "messages"
end

function process_message()
    local ns = read_message("Timestamp")
    local row = floor(ns / ROW_NS)
    local key = key_of()
    if not key then return 0 end
    advance(row)
    local w = watched[key] or watch(key)
    if not w then return 0 end
    local value = 1
    if value_variable then
        value = read_message(value_variable)
        if type(value) ~= "number" then return 0 end
    end
    -- A late message is in the graph only.
    if row == now_row then
        w.count, w.sum = w.count + 1, w.sum + value
        if value_variable then cb:set(ns, w.column, w.sum / w.count) end
    end
    if not value_variable then cb:add(ns, w.column, 1) end
    return 0
end

function timer_event(ns, shutdown)
    -- The engine's time may be behind or far ahead of the messages'; it only counts while it goes on from theirs.
    local row = floor(ns / ROW_NS)
    if not shutdown and now_row >= 0 and row > now_row and row - now_row <= CATCH_UP_MAX then advance(row) end
    for i = 1, #pending do
        alert.send(pending[i][1], pending[i][2], pending[i][3], 0)
        pending[i] = nil
    end
    inject_payload("cbuf", "anomalies", cb)
end
