-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Hierarchy monitor: counts along a path of variables, and one alert at the level where the fault is

Takes the values of `hierarchy` in each message as a path, for instance `telemetry/main/nightly`, and counts the message for every
node on it: the root `all`, `telemetry`, `telemetry/main`, `telemetry/main/nightly`. Every node has detectors. A fault is told once, at its
level: where most of a node's children are strange, or none, it is the node's; where few of them are, it is theirs.
What was told of a node holds for all below it. What it has learned outlives a restart.

The graphs are `hierarchy_volume` and, with `value_variable`, `hierarchy_value`, the table `hierarchy`.

## Sample configuration

```lua
filename        = "hierarchy_monitor.lua"
message_matcher = "Type == 'telemetry' || Type == 'validated'"
ticker_interval = 60
preserve_data   = true
preserve_interval = 60
memory_limit    = 128 * 1024 * 1024
output_limit    = 8 * 1024 * 1024
hierarchy       = { "Logger", "Fields[docType]", "Fields[normalizedChannel]" } -- at most 8
-- missing        = "-"   -- stands for what a message lacks
-- value_variable = "Fields[duration]" -- its average is watched, too
-- share          = 0.5   -- more of a node's children than this share: the fault is the node's
-- checks         = { -- of the number of messages; these are the defaults, see modules/monitor/watch.lua
--     { kind = "gap", name = "inactivity", resolution = 60 },
--     { kind = "seasonal" },
-- }
-- value_checks   = { { kind = "robust" } }
-- sec_per_row    = 60
-- rows           = 1440  -- of the graphs; rows * keys_max is bounded by output_limit
-- keys_max       = 100   -- nodes that are watched, the first ones that come, at most 256
-- refractory     = 21600 -- seconds without another alert of the same node
-- confirm        = 2     -- rows in succession that must be strange
-- title          = "hierarchy"
-- preservation_version = 0
alert = {
    modules = { email = { recipients = { "ops@example.com" } } },
    -- thresholds = { ["telemetry/main"] = { volume = { { kind = "limit", low = 10 } } } }, -- checks of single nodes
}
```

## Alerts

The id is `NODE.NAME`, for instance `telemetry/main.inactivity`; the detail lists the children that are strange as well. A child with
half the score that makes an alert counts as strange when it is asked whether a fault is its own or its parent's.
--]]

local key    = require "monitor.key"
local math   = require "math"
local string = require "string"
local table  = require "table"
local watch  = require "monitor.watch"

local hierarchy      = read_config("hierarchy") or error("hierarchy must be set")
local value_variable = read_config("value_variable")
local share          = read_config("share") or 0.5
local sec_per_row    = read_config("sec_per_row") or 60
assert(type(hierarchy) == "table" and #hierarchy > 0 and #hierarchy <= 8, "hierarchy must be a list of 1 to 8 names")
assert(share > 0 and share < 1, "share must be between 0 and 1")

local ROOT    = "all"
local LEANING = 0.5
-- Children that the detail of an alert names.
local SHOWN   = 10

local VOLUME, VALUE = 1, 2

local read_message = read_message
local monitor
local roll_up

local measures = {
    { name = "volume", kind = "count", checks = read_config("checks") or {
        { kind = "gap", name = "inactivity", resolution = sec_per_row, longest = math.max(3600, 20 * sec_per_row) },
        { kind = "seasonal" },
    } },
}
if value_variable then
    measures[VALUE] = { name = "value", kind = "average", minimum = 10, checks = read_config("value_checks") or { { kind = "robust" } } }
end

monitor = watch.new {
    title = "hierarchy", keys_max = 100, confirm = 2, measures = measures,
    choose = function(state, ns, strange) return roll_up(state, ns, strange) end,
}
_PRESERVATION_VERSION = monitor:version(read_config("preservation_version"))
state = monitor:state()

local path_of = key.path(hierarchy, read_config("missing") or "-")

local function parent_of(node)
    if node == ROOT then return nil end
    return string.match(node, "^(.*)/[^/]*$") or ROOT
end

local function children_by_node(state)
    local children = {}
    for node in pairs(state.keys) do
        local parent = parent_of(node)
        if parent then
            children[parent] = children[parent] or {}
            table.insert(children[parent], node)
        end
    end
    return children
end

local function is_leaning(k)
    for i = 1, #measures do
        if k.score[i] >= LEANING then return true end
    end
    return false
end

-- Whether the strangeness of a node is its children's, and which of them are strange.
local function look_at_children(state, ns, children, is_strange)
    local leaning, strange, told = 0, {}, false
    for _, child in ipairs(children) do
        if is_strange[child] then
            strange[#strange + 1] = child
            told = told or not monitor.alerts:rested(state.alerts, ns, child)
        end
        if is_strange[child] or is_leaning(state.keys[child]) then leaning = leaning + 1 end
    end
    table.sort(strange)
    -- After a child was told, its parent needs others that are strange beyond doubt.
    local many = told and #strange or leaning
    return #strange > 0 and (many <= share * #children or #children == 1), strange
end

local function tell(state, ns, node, strange, children)
    local shown = table.concat(strange, ", ", 1, math.min(SHOWN, #strange))
    monitor:report(state, ns, node, #strange > 0 and string.format("Strange below it: %d of %d (%s).", #strange, #children, shown) or nil)
end

-- Visits the tree from its root, deep nodes by a list instead of recursion, and tells each fault at its level.
function roll_up(state, ns, strange)
    local children, is_strange = children_by_node(state), {}
    for _, node in ipairs(strange) do is_strange[node] = true end
    local open = { { node = ROOT } }
    while #open > 0 do
        local visit = table.remove(open)
        local below = children[visit.node] or {}
        local told = visit.told
        if told then
            monitor.alerts:hold(state.alerts, ns, visit.node)
        elseif is_strange[visit.node] then
            local is_theirs, own = look_at_children(state, ns, below, is_strange)
            if not is_theirs and monitor.alerts:rested(state.alerts, ns, visit.node) then
                tell(state, ns, visit.node, own, below)
                told = true
            end
            -- A node that was told before still speaks for those below it.
            told = told or not is_theirs
        end
        for _, child in ipairs(below) do open[#open + 1] = { node = child, told = told } end
    end
    return {}
end

local function count(ns, node)
    local k = monitor:at(state, ns, node)
    if not k then return end
    k.n[VOLUME] = k.n[VOLUME] + 1
    if value_variable then
        local value = read_message(value_variable)
        if type(value) == "number" then k.n[VALUE], k.sum[VALUE] = k.n[VALUE] + 1, k.sum[VALUE] + value end
    end
end

function process_message()
    local ns, nodes = read_message("Timestamp"), path_of()
    count(ns, ROOT)
    for i = 1, #nodes do count(ns, nodes[i]) end
    return 0
end

function timer_event(ns, shutdown)
    monitor:timer(state, ns, shutdown)
end
