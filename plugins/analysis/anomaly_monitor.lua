-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Anomaly monitor: alerts when the messages of a kind are more, fewer or other than usual

Counts the messages of each value of `message_variable` (or averages `value_variable` over them) in rows of `sec_per_row` seconds, gives
each complete row to detectors, and sends an alert when one of them finds it strange. The rows are shown as a graph (`anomalies_count` or
`anomalies_average`) with the alerts as annotations, and as a table (`anomalies`). What the detectors have learned outlives a restart.
Time is that of the messages; without messages that of the engine.

## Sample configuration

```lua
filename         = "anomaly_monitor.lua"
message_matcher  = "Type == 'telemetry'"
ticker_interval  = 60
preserve_data    = true
memory_limit     = 32 * 1024 * 1024
message_variable = "Fields[docType]"  -- or a list of names; nothing: all messages together
-- value_variable = "Fields[size]"    -- its average is watched instead of the number of messages
-- sec_per_row = 300
-- rows = 720                         -- rows of the graph; rows * keys_max is bounded by output_limit
-- keys_max = 10                      -- values of message_variable that are watched, the first ones that come
-- detectors = {                      -- checks, see modules/monitor/watch.lua; these are the defaults
--     { kind = "seasonal" },
--     { kind = "gap", resolution = 300 }, -- not with value_variable
-- }
-- refractory = 21600                 -- seconds without another alert of the same value
-- bounds = false                     -- true: the graph also has the bands of normal, in three times the space
-- confirm = 1                        -- rows in succession that must be strange
-- title = "anomalies"
-- preservation_version = 0
alert = {
    modules = { email = { recipients = { "ops@example.com" } } },
}
```

## Alerts

The id is `KEY.KIND` with the first detector of the list that found the row strange, the summary says which way it goes, and the detail what
the row had, what is usual, and what the other detectors found. Alerts wait for the next `ticker_interval`.
--]]

local key   = require "monitor.key"
local watch = require "monitor.watch"

local value_variable = read_config("value_variable")
local sec_per_row    = read_config("sec_per_row") or 300
local detectors      = read_config("detectors")

if not detectors then
    detectors = { { kind = "seasonal" } }
    if not value_variable then detectors[2] = { kind = "gap", resolution = sec_per_row } end
end
assert(#detectors > 0, "detectors must not be empty")
local measure = value_variable and "average" or "count"
for _, check in ipairs(detectors) do check.name, check.label = check.name or check.kind, check.name or measure end

local monitor = watch.new {
    title = "anomalies", sec_per_row = 300, rows = 720,
    measures = { { name = measure, kind = measure, checks = detectors } },
}
_PRESERVATION_VERSION = monitor:version(read_config("preservation_version"))
state = monitor:state()

local key_of = key.new(read_config("message_variable"))
local read_message = read_message

function process_message()
    local value = 0
    if value_variable then
        value = read_message(value_variable)
        if type(value) ~= "number" then return 0 end
    end
    local name = key_of()
    local k = name and monitor:at(state, read_message("Timestamp"), name)
    if k then k.n[1], k.sum[1] = k.n[1] + 1, k.sum[1] + value end
    return 0
end

function timer_event(ns, shutdown)
    monitor:timer(state, ns, shutdown)
end
