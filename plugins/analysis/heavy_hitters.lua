-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Heavy hitters: who makes most of the messages, and alerts when one makes too many

Finds the most frequent values of `item_variable` (a client, an address, a path) in rows of `sec_per_row` seconds, in bounded memory: by the
algorithm Space-Saving (A. Metwally, D. Agrawal, A. El Abbadi, "Efficient computation of frequent and top-k elements in data streams", 2005).
It keeps `items_max` counters; a new item takes over the smallest one, with its count as the possible error. Every item with more than
1/items_max of all messages is found, and no count is too low.

The table `heavy_hitters` has the items of the last complete row: count, how much of it may be too much, share. The graph `heavy_hitters` has the messages and
the shares of the first one and the first ten.

## Sample configuration

```lua
filename        = "heavy_hitters.lua"
message_matcher = "Type == 'telemetry-raw'"
ticker_interval = 60
preserve_data   = true
item_variable   = "Fields[remote_addr]"
-- weight_variable = "size"  -- sums this instead of counting messages
-- share       = 20          -- percent of a row from which on an item makes an alert
-- minimum     = 1000        -- messages (or weight) that a row needs for an alert
-- items_max   = 1000        -- counters
-- shown       = 50          -- items of the table
-- sec_per_row = 60
-- rows        = 1440        -- of the graph
-- refractory  = 21600       -- seconds without another alert of the same item
-- title       = "heavy_hitters"
-- preservation_version = 0
alert = {
    modules = { email = { recipients = { "ops@example.com" } } },
}
```

## Alerts

The id is `ITEM.share`. The share is the one that is certain: without the possible error.
--]]

_PRESERVATION_VERSION = (read_config("preservation_version") or 0) * 1e6 + (read_config("rows") or 1440)

require "circular_buffer"
local alert  = require "heka.alert"
local alerts = require "monitor.alerts"
local math   = require "math"
local string = require "string"
local table  = require "table"

local variable    = read_config("item_variable") or error("item_variable must be set")
local weight_of   = read_config("weight_variable")
local share       = read_config("share") or 20
local minimum     = read_config("minimum") or 1000
local items_max   = read_config("items_max") or 1000
local shown       = read_config("shown") or 50
local sec_per_row = read_config("sec_per_row") or 60
local rows        = read_config("rows") or 1440
local title       = read_config("title") or "heavy_hitters"
assert(items_max >= 10 and items_max <= 100000, "items_max must be 10 to 100000")
assert(share > 0 and share <= 100, "share must be above 0 and at most 100")

local ROW_NS   = sec_per_row * 1e9
local ITEM_MAX = 128
local FIRST    = 10

local floor = math.floor
local read_message, tostring, type = read_message, tostring, type

local sender = alerts.new { payloads = 2, refractory = read_config("refractory") }

graph = circular_buffer.new(rows, 3, sec_per_row)
local TOTAL      = graph:set_header(1, "messages", weight_of and "sum" or "count", "sum")
local FIRST_ONE  = graph:set_header(2, "first", "%", "none")
local FIRST_TEN  = graph:set_header(3, "first_10", "%", "none")

-- The row that is under way: counters by slot. `top` is the table of the last complete row.
state = { row = -1, total = 0, slots = {}, items = {}, counts = {}, errors = {}, top = "", alerts = sender:state() }

-- Slots that had the smallest count when it was looked for; they are taken in turn, so that looking is rare.
local smallest, low = 0, {}

local function slot_of_smallest()
    local counts = state.counts
    while #low > 0 do
        local slot = table.remove(low)
        if counts[slot] == smallest then return slot end
    end
    smallest = counts[1]
    for slot = 2, #counts do
        if counts[slot] < smallest then smallest = counts[slot] end
    end
    for slot = 1, #counts do
        if counts[slot] == smallest then low[#low + 1] = slot end
    end
    return table.remove(low)
end

local function add(item, weight)
    local slot = state.slots[item]
    if slot then
        state.counts[slot] = state.counts[slot] + weight
        return
    end
    if #state.items < items_max then
        slot = #state.items + 1
        state.counts[slot], state.errors[slot] = weight, 0
    else
        slot = slot_of_smallest()
        state.slots[state.items[slot]] = nil
        state.errors[slot] = state.counts[slot]
        state.counts[slot] = state.counts[slot] + weight
    end
    state.items[slot], state.slots[item] = item, slot
end

local function printable(item)
    return (string.gsub(item, "%c", " "))
end

local function tell(item, certain, total, ns)
    local percent = 100 * certain / total
    if percent < share then return end
    local summary = string.format("%s makes %.3g %% of all", printable(item), percent)
    local detail = string.format("%s made at least %.10g of %.10g in the %d seconds from %s on; from %g %% on there is an alert.\nGraph: %s",
        printable(item), certain, total, sec_per_row, alerts.date(ns), share, alert.get_dashboard_uri(title))
    if sender:raise(state.alerts, ns, item, printable(item) .. ".share", summary, detail) then
        graph:annotate(ns, FIRST_ONE, "alert", summary)
    end
end

local function table_of(order, total)
    local lines = { "Item\tCount\tPossible error\tShare (%)\n" }
    for i = 1, math.min(shown, #order) do
        local slot = order[i]
        lines[i + 1] = string.format("%s\t%.10g\t%.10g\t%.4g\n", printable(state.items[slot]), state.counts[slot], state.errors[slot],
            100 * state.counts[slot] / total)
    end
    return table.concat(lines)
end

local function close_row()
    local ns, total, counts = state.row * ROW_NS, state.total, state.counts
    if total > 0 then
        local order, ten = {}, 0
        for slot = 1, #counts do order[slot] = slot end
        table.sort(order, function(a, b) return counts[a] > counts[b] or counts[a] == counts[b] and a < b end)
        for i = 1, math.min(FIRST, #order) do
            ten = ten + counts[order[i]]
            if total >= minimum then tell(state.items[order[i]], counts[order[i]] - state.errors[order[i]], total, ns) end
        end
        graph:set(ns, TOTAL, total)
        graph:set(ns, FIRST_ONE, 100 * counts[order[1]] / total)
        graph:set(ns, FIRST_TEN, math.min(100, 100 * ten / total))
        state.top = table_of(order, total)
    end
    state.total, state.slots, state.items, state.counts, state.errors = 0, {}, {}, {}, {}
    smallest, low = 0, {}
end

function process_message()
    local item = read_message(variable)
    if item == nil then return 0 end
    local weight = 1
    if weight_of then
        weight = read_message(weight_of)
        if type(weight) ~= "number" or not (weight > 0) then return 0 end
    end
    if type(item) ~= "string" then item = tostring(item) end
    if #item > ITEM_MAX then item = string.sub(item, 1, ITEM_MAX) end
    -- What is late counts in the row that is under way.
    local row = floor(read_message("Timestamp") / ROW_NS)
    if row > state.row then
        if state.row >= 0 then close_row() end
        state.row = row
    end
    state.total = state.total + weight
    add(item, weight)
    return 0
end

function timer_event(ns, shutdown)
    sender:send(state.alerts)
    inject_payload("cbuf", title, graph)
    add_to_payload(state.top)
    inject_payload("tsv", title)
end
