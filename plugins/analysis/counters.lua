-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Counters: how often each value of a header or Field occurs

Counts the values of one header or Field and shows the most frequent ones (payload type "tsv", name "counters"):
value, count, share. The counts outlive a restart.

## Sample configuration

```lua
filename         = "counters.lua"
message_matcher  = "TRUE"
ticker_interval  = 60
preserve_data    = true
message_variable = "Type"          -- or "Fields[programname]", "Hostname", "Severity" ...
-- title = "counters"              -- name of the payload
-- items_max = 10000               -- values counted one by one; further ones are counted together as "(other)"
-- rows = 100                      -- values shown
-- reset = false                   -- true: every ticker_interval begins anew
-- preservation_version = 0
```
--]]

_PRESERVATION_VERSION = read_config("preservation_version") or 0

require "math"
require "string"
require "table"

local variable  = read_config("message_variable") or error("message_variable must be set")
local title     = read_config("title") or "counters"
local items_max = read_config("items_max") or 10000
local rows      = read_config("rows") or 100
local reset     = read_config("reset")

counts  = {}
n_items = 0
other   = 0
total   = 0

local read_message, tostring = read_message, tostring

function process_message()
    local value = read_message(variable)
    local key = value == nil and "(none)" or tostring(value)
    total = total + 1
    local count = counts[key]
    if count then
        counts[key] = count + 1
    elseif n_items < items_max then
        n_items = n_items + 1
        counts[key] = 1
    else
        other = other + 1
    end
    return 0
end

-- Tabs and line ends would break the table.
local function printable(value)
    return (string.gsub(value, "%c", " "))
end

function timer_event(ns, shutdown)
    local order = {}
    for key in pairs(counts) do order[#order + 1] = key end
    table.sort(order, function(a, b)
        if counts[a] ~= counts[b] then return counts[a] > counts[b] end
        return a < b
    end)
    add_to_payload(variable, "\tCount\tShare\n")
    for i = 1, math.min(rows, #order) do
        local key = order[i]
        add_to_payload(printable(key), "\t", counts[key], "\t", counts[key] / total, "\n")
    end
    if other > 0 then add_to_payload("(other)\t", other, "\t", other / total, "\n") end
    inject_payload("tsv", title)
    if reset then counts, n_items, other, total = {}, 0, 0, 0 end
end
