-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Error aggregates: sums by group in windows of event time

Counts messages (and sums Fields of them) for each combination of `dimensions` in windows of five minutes by their Timestamp. A window is
finished when the watermark has passed its end: the greatest Timestamp less `watermark` seconds. Then its rows are injected as one or more
messages, and it changes no more; what comes later is counted as late.

## Sample configuration

```lua
filename        = "error_aggregates.lua"
message_matcher = "Type == 'telemetry.error' || Type == 'error'"
ticker_interval = 60
preserve_data   = true
memory_limit    = 64 * 1024 * 1024
output_limit    = 1024 * 1024
dimensions = { -- name of the column, and what fills it; "-" stands for what a message lacks
    namespace  = "Logger",
    doc_type   = "Fields[docType]",
    error_type = "Fields[DecodeErrorType]",
}
-- sums       = { bytes = "size" } -- columns that are summed; a value that is no number counts as 0
-- window     = 300   -- seconds
-- watermark  = 60    -- seconds that messages may be out of order
-- groups_max = 1000  -- groups of a window; what is beyond them is one group with "(others)" in every column
-- batch      = 500   -- rows of a message
-- title      = "error_aggregates"
-- preservation_version = 0
```

## Messages

Type `error_aggregates`; Payload: a line of JSON for each row, with `window_start` and `window_end` (seconds), the dimensions, `count` and
the sums; Fields: `window_start`, `window_end`, `rows`, and of the window `late`, the messages that were too late since the window before.
As a payload "json" of the name in `title` the rows of the last finished window are shown, with the counts of late and early messages.

A message more than an hour ahead of all others is counted as early and ignored, unless three come in succession. Without messages
the watermark goes on with the engine's time. Windows that are finished wait for `timer_event`, which injects as many messages as
`timer_event_inject_limit` allows; at most 20,000 rows wait, more are dropped and counted.
--]]

_PRESERVATION_VERSION = read_config("preservation_version") or 0

local cjson  = require "cjson"
local key    = require "monitor.key"
local math   = require "math"
local table  = require "table"

local dimensions = read_config("dimensions") or error("dimensions must be set")
local sums       = read_config("sums") or {}
local window     = read_config("window") or 300
local watermark  = read_config("watermark") or 60
local groups_max = read_config("groups_max") or 1000
local batch      = read_config("batch") or 500
local title      = read_config("title") or "error_aggregates"
local batches    = (read_config("timer_event_inject_limit") or 10) - 1
assert(window > 0 and watermark >= 0, "window must be above 0, watermark at least 0")
assert(batch >= 1 and batches >= 1, "batch must be at least 1, timer_event_inject_limit at least 2")

local WINDOW_NS, WATERMARK_NS = window * 1e9, watermark * 1e9
local AHEAD_NS    = 3600e9
local LEAPS_MAX   = 3
local WAITING_MAX = 20000
local OTHERS      = "(others)"

local floor = math.floor
local read_message, type = read_message, type

local function sorted_names(t)
    local names = {}
    for name in pairs(t) do names[#names + 1] = name end
    table.sort(names)
    return names
end

local columns, sum_columns, variables, sum_variables = sorted_names(dimensions), sorted_names(sums), {}, {}
for i, name in ipairs(columns) do variables[i] = dimensions[name] end
for i, name in ipairs(sum_columns) do sum_variables[i] = sums[name] end
assert(#columns > 0, "dimensions must not be empty")

local key_of = key.new(variables, "-")

-- Open windows by number; the newest time; finished rows that wait, and the text of the last finished window.
state = {
    windows = {}, newest = 0, finished = -1, behind = 0, heard = false, leaps = 0,
    late = 0, late_told = 0, early = 0, dropped = 0, waiting = {}, n_waiting = 0, shown = {},
}

local function new_group(values)
    local group = { count = 0, values = values }
    for i = 1, #sum_columns do group[i] = 0 end
    return group
end

local function values_now()
    local values = {}
    for i, variable in ipairs(variables) do
        local value = read_message(variable)
        values[i] = value == nil and "-" or value
    end
    return values
end

local function group_of(open, name)
    local group = open.groups[name]
    if group then return group end
    local values
    if open.n >= groups_max then
        name = OTHERS
        group = open.groups[name]
        if group then return group end
        values = {}
        for i = 1, #columns do values[i] = OTHERS end
    else
        values = values_now()
    end
    open.n = open.n + 1
    group = new_group(values)
    open.groups[name] = group
    return group
end

local function row_of(number, group)
    local row = { window_start = number * window, window_end = (number + 1) * window, count = group.count }
    for i, name in ipairs(columns) do row[name] = group.values[i] end
    for i, name in ipairs(sum_columns) do row[name] = group[i] end
    return cjson.encode(row)
end

-- Turns an open window into rows that wait in batches.
local function finish(number)
    local open, lines = state.windows[number], {}
    state.windows[number] = nil
    for _, name in ipairs(sorted_names(open.groups)) do lines[#lines + 1] = row_of(number, open.groups[name]) end
    state.shown = lines
    for first = 1, #lines, batch do
        local last = math.min(first + batch - 1, #lines)
        if state.n_waiting + last - first + 1 > WAITING_MAX then
            state.dropped = state.dropped + last - first + 1
        else
            state.n_waiting = state.n_waiting + last - first + 1
            state.waiting[#state.waiting + 1] = {
                number = number, rows = last - first + 1, text = table.concat(lines, "\n", first, last) .. "\n",
                late = state.late - state.late_told,
            }
            state.late_told = state.late
        end
    end
end

-- Finishes what the watermark has passed, in order.
local function look_at_watermark()
    local passed = floor((state.newest - WATERMARK_NS) / WINDOW_NS) - 1
    if passed <= state.finished then return end
    local numbers = {}
    for number in pairs(state.windows) do
        if number <= passed then numbers[#numbers + 1] = number end
    end
    table.sort(numbers)
    for _, number in ipairs(numbers) do finish(number) end
    state.finished = passed
end

-- Whether the time of a message can be true; moves the newest time on.
local function take_time(ns)
    if ns <= state.newest then return true end
    if state.newest > 0 and ns - state.newest > AHEAD_NS then
        state.leaps = state.leaps + 1
        if state.leaps < LEAPS_MAX then
            state.early = state.early + 1
            return false
        end
    end
    state.leaps, state.newest = 0, ns
    look_at_watermark()
    return true
end

function process_message()
    local ns = read_message("Timestamp")
    if not take_time(ns) then return 0 end
    state.heard = true
    local number = floor(ns / WINDOW_NS)
    if number <= state.finished then
        state.late = state.late + 1
        return 0
    end
    local open = state.windows[number]
    if not open then
        open = { groups = {}, n = 0 }
        state.windows[number] = open
    end
    local group = group_of(open, key_of())
    group.count = group.count + 1
    for i = 1, #sum_variables do
        local value = read_message(sum_variables[i])
        if type(value) == "number" then group[i] = group[i] + value end
    end
    return 0
end

local function follow(ns)
    if state.newest == 0 then return end
    if state.heard then
        state.heard, state.behind = false, math.max(0, ns - state.newest)
    elseif ns - state.behind > state.newest then
        state.newest = ns - state.behind
        look_at_watermark()
    end
end

local message = { Type = "error_aggregates", Fields = {} }

local function send_waiting()
    for _ = 1, batches do
        local one = table.remove(state.waiting, 1)
        if not one then return end
        state.n_waiting = state.n_waiting - one.rows
        message.Payload = one.text
        message.Fields.window_start, message.Fields.window_end = one.number * window, (one.number + 1) * window
        message.Fields.rows, message.Fields.late = one.rows, one.late
        inject_message(message)
    end
end

function timer_event(ns, shutdown)
    if not shutdown then follow(ns) end
    send_waiting()
    add_to_payload('{"late":', state.late, ',"early":', state.early, ',"dropped":', state.dropped, ',"rows":[',
        table.concat(state.shown, ","), "]}\n")
    inject_payload("json", title)
end
