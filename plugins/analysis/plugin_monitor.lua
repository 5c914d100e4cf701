-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Plugin monitor: alerts when plugins fail or are terminated

Looks at the statistics that the input `plugins_tsv.lua` makes, and sends an alert when a plugin was terminated, or when too many
of its recent messages failed.

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
        },
        ["*"] = { terminated = true }, -- all others
    },
}
```

The other keys of `alert` stand in modules/heka/alert.lua; its throttle holds for failures, not for terminations.
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

function process_message()
    local plugin = read_message("Fields[name]")
    local limits = plugin and alert.get_threshold(plugin)
    if not limits then return 0 end
    local kind = read_message("Type")
    if kind == "hindsight.plugin.terminated" and limits.terminated then
        alert.send(plugin, "terminated", read_message("Payload"), 0)
    elseif kind == "hindsight.plugin.stats" and limits.process_message_failures then
        look_at_failures(plugin, limits.process_message_failures)
    end
    return 0
end

function timer_event(ns, shutdown)
end
