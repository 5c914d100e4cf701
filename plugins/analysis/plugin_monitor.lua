-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Plugin monitor: alerts when plugins fail, are terminated, fall behind or have too much to do

Looks at the statistics that the input `plugins_tsv.lua` makes, and sends an alert when a plugin was terminated, when too many of its recent
messages failed, when it is too far behind its queue, or when it is busy all the time.

## Sample configuration

```lua
filename        = "plugin_monitor.lua"
message_matcher = "Type =~ '^hindsight%.plugin%.'"
process_message_inject_limit = 1

alert = {
    modules = { email = { recipients = { "ops@example.com" } } },
    thresholds = {
        ["analysis.example"] = {      -- a plugin
            process_message_failures = {
                percent = 5,          -- more than so many percent failed since the last look,
                minimum_sample = 100, -- of at least so many
            },
            terminated = true,
            lag         = { bytes = 100e6, looks = 3 },    -- more than so much unread at so many looks in succession
            utilization = { percent = 95, looks = 10 },    -- at least so busy; also of a thread, "analysis0"
        },
        ["*"] = { terminated = true }, -- all others
    },
}
```

The other keys of `alert` stand in modules/heka/alert.lua; its throttle holds for everything but terminations. The id is the plugin's
name, for lag and utilization with `.lag` and `.utilization`.
--]]

require "string"
local alert = require "heka.alert"

-- Indexes, from 0, into the Field deltas.
local PROCESSED, FAILED = 2, 3

local function is_number(value, min, max)
    return type(value) == "number" and value >= min and value <= max
end

-- What may be configured for a plugin: a check, and what it asks for.
local CHECKS = {}

function CHECKS.process_message_failures(setting)
    if type(setting) ~= "table" then return "must be a table" end
    if not is_number(setting.minimum_sample, 0, 1/0) then return "'minimum_sample' must be a non-negative number" end
    if not is_number(setting.percent, 0, 100) or setting.percent == 0 then
        return "'percent' must contain a percentage of message failures (1-100)"
    end
end

function CHECKS.terminated(setting)
    if type(setting) ~= "boolean" then return "terminated must be a boolean" end
end

local function check_looks(setting, name, min, max)
    if type(setting) ~= "table" then return "must be a table" end
    if not is_number(setting[name], min, max) then return string.format("'%s' must be a number from %g to %g", name, min, max) end
    if not is_number(setting.looks or 1, 1, 1/0) then return "'looks' must be at least 1" end
end

function CHECKS.lag(setting) return check_looks(setting, "bytes", 0, 1/0) end

function CHECKS.utilization(setting) return check_looks(setting, "percent", 1, 100) end

for plugin, settings in pairs(alert.thresholds) do
    assert(type(settings) == "table", string.format("%s must be a table", plugin))
    for name, setting in pairs(settings) do
        local check = CHECKS[name]
        local wrong = not check and "invalid alert type" or check and check(setting)
        if wrong then error(string.format("%s#%s %s", plugin, name, wrong)) end
    end
end

local function look_at_failures(plugin, limit)
    local processed = read_message("Fields[deltas]", 0, PROCESSED)
    local failed    = read_message("Fields[deltas]", 0, FAILED)
    if not processed or not failed or processed <= 0 or processed < limit.minimum_sample then return end
    local percent = failed / processed * 100
    if percent > limit.percent then
        alert.send(plugin, "process_message_failures", string.format("%g%% of recent messages failed", percent))
    end
end

-- How often in succession something was beyond its limit, by id.
local beyond = {}

-- The alert is due when it was so often enough.
local function is_due(id, is_beyond, looks)
    if not is_beyond then
        beyond[id] = nil
        return false
    end
    beyond[id] = (beyond[id] or 0) + 1
    return beyond[id] >= (looks or 1)
end

local function look_at_lag(plugin, limit)
    local bytes, queue = read_message("Fields[bytes]"), read_message("Fields[queue]")
    if not bytes or not queue then return end
    if is_due(plugin .. ".lag " .. queue, bytes > limit.bytes, limit.looks) then
        alert.send(plugin .. ".lag", string.format("%s is %.0f bytes behind in the queue '%s'", plugin, bytes, queue),
            string.format("More than %.0f bytes at %d looks in succession.", limit.bytes, limit.looks or 1))
    end
end

local function look_at_utilization(plugin, limit)
    local percent = read_message("Fields[utilization]")
    if not percent then return end
    if is_due(plugin .. ".utilization", percent >= limit.percent, limit.looks) then
        alert.send(plugin .. ".utilization", string.format("%s is busy for %d %% of the time", plugin, percent),
            string.format("At least %d %% at %d looks in succession; matching %d %%, process_message %d %%, timer_event %d %%.", limit.percent,
                limit.looks or 1, read_message("Fields[matching]") or 0, read_message("Fields[processing]") or 0, read_message("Fields[timing]") or 0))
    end
end

function process_message()
    local plugin = read_message("Fields[name]")
    local limits = plugin and alert.get_threshold(plugin)
    if not limits then return 0 end
    local kind = read_message("Type")
    if kind == "hindsight.plugin.terminated" and limits.terminated then
        alert.send(plugin, "terminated", read_message("Payload"), 0)
    elseif kind == "hindsight.plugin.stats" and limits.process_message_failures then
        look_at_failures(plugin, limits.process_message_failures)
    elseif kind == "hindsight.plugin.lag" and limits.lag then
        look_at_lag(plugin, limits.lag)
    elseif kind == "hindsight.plugin.utilization" and limits.utilization then
        look_at_utilization(plugin, limits.utilization)
    end
    return 0
end

function timer_event(ns, shutdown)
end
