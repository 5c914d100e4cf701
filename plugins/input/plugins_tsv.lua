-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Plugin statistics input: the engine's own plugins.tsv as messages

Reads the table of statistics that the engine keeps about its plugins, and injects for each plugin how its numbers changed
since the last look. `plugin_monitor.lua` makes alerts of them.

## Sample configuration

```lua
filename        = "plugins_tsv.lua"
ticker_interval = 60
```

## Messages

| Type | Payload | Fields |
|---|---|---|
| hindsight.plugin.stats | | name: of the plugin; deltas: one number for each column after the name, the first one since the start |
| hindsight.plugin.terminated | the text of its .err file | name |
| hindsight.plugin.utilization | | name: of the plugin or of an analysis thread (`analysis0`); messages; `utilization`, `matching`, `processing`, `timing` in percent of the time since the last sample; not of inputs |
| hindsight.plugin.lag | | name; queue: `input` or `analysis`; bytes: what the plugin has not read of it yet |

The columns: messages injected, their bytes, messages processed, failures, memory, greatest memory, greatest output, greatest
number of instructions, mean and deviation in nanoseconds of the matcher, of process_message and of timer_event. Where a count
is less than at the last look the plugin was started anew, and all numbers count from there. A plugin that is no longer in the
table and left an .err file was terminated. Utilization is read from the engine's utilization.tsv, lag from its checkpoints.
Several analysis plugins that have nothing left to do share the place `analysis0`.
--]]

require "io"
require "math"
require "string"

local output_path = read_config("output_path")
local stats_file = output_path .. "/plugins.tsv"
local run_path   = read_config("sandbox_run_path")

-- Columns that only grow while a plugin runs.
local COUNTS = 4
-- Files of a queue that are looked at for a lag.
local FILES_MAX = 1000

-- Name of the plugin -> its numbers.
local function read_stats(fh)
    local stats, is_header = {}, true
    for line in fh:lines() do
        local name, rest = string.match(line, "^([^\t]+)(.*)$")
        if is_header then
            is_header = false
        elseif not name then
            return nil
        else
            local numbers = {}
            for text in string.gmatch(rest, "\t([^\t]*)") do
                local number = tonumber(text)
                if not number then return nil end
                numbers[#numbers + 1] = number
            end
            if #numbers == 0 then return nil end
            stats[name] = numbers
        end
    end
    return stats
end

local function deltas(now, before)
    if not before then return now end
    for i = 1, COUNTS do
        if before[i] and now[i] and now[i] < before[i] then return now end
    end
    local changes = {}
    for i, number in ipairs(now) do changes[i] = number - (before[i] or 0) end
    return changes
end

local function inject_terminated(name)
    local kind, short = string.match(name, "^([^.]+)%.(.+)$")
    if not kind then return end
    local fh = io.open(string.format("%s/%s/%s.err", run_path, kind, short))
    if not fh then return end
    local reason = fh:read("*a")
    fh:close()
    inject_message { Type = "hindsight.plugin.terminated", Payload = reason, Fields = { name = name } }
end

local function inject_utilization()
    local fh = io.open(output_path .. "/utilization.tsv")
    if not fh then return end
    for line in fh:lines() do
        local name, messages, utilization, matching, processing, timing =
            string.match(line, "^([^\t]+)\t(%d+)\t(%d+)\t(%d+)\t(%d+)\t(%d+)$")
        if name then
            inject_message { Type = "hindsight.plugin.utilization", Fields = {
                name = name, messages = tonumber(messages), utilization = tonumber(utilization),
                matching = tonumber(matching), processing = tonumber(processing), timing = tonumber(timing),
            } }
        end
    end
    fh:close()
end

-- A file of a queue that is gone was read by all.
local function size_of(queue, number)
    local fh = io.open(string.format("%s/%s/%d.log", output_path, queue, number))
    if not fh then return 0 end
    local size = fh:seek("end") or 0
    fh:close()
    return size
end

-- Bytes between two places of a queue.
local function distance(queue, from, to)
    local bytes = to.offset - from.offset
    for number = math.max(from.number, to.number - FILES_MAX), to.number - 1 do bytes = bytes + size_of(queue, number) end
    return math.max(0, bytes)
end

local function inject_lag()
    local fh = io.open(output_path .. "/hindsight.cp")
    if not fh then return end
    local places = {}
    for line in fh:lines() do
        local name, number, offset = string.match(line, "^_G%['(.-)'%] = '(%d+):(%d+)'$")
        if name then places[name] = { number = tonumber(number), offset = tonumber(offset) } end
    end
    fh:close()
    for name, place in pairs(places) do
        local queue, reader = string.match(name, "^(%w+)%->(.+)$")
        if queue and places[queue] then
            inject_message { Type = "hindsight.plugin.lag", Fields = {
                name = reader, queue = queue, bytes = { value = distance(queue, place, places[queue]), value_type = 2, representation = "B" },
            } }
        end
    end
end

local last = {}

function process_message()
    local fh = io.open(stats_file)
    if not fh then return 0 end -- not written yet
    local stats = read_stats(fh)
    fh:close()
    if not stats then return -1, "plugins.tsv has a line that is no plugin's" end

    for name, numbers in pairs(stats) do
        inject_message { Type = "hindsight.plugin.stats", Fields = { name = name, deltas = deltas(numbers, last[name]) } }
    end
    for name in pairs(last) do
        if not stats[name] then inject_terminated(name) end
    end
    last = stats
    inject_utilization()
    inject_lag()
    return 0
end
