-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Alerts: a plugin tells somebody that something is wrong

Injects messages of Type "alert", which an alert output delivers to the destinations that the configuration names. An
alert with the same id is not sent again before its throttle time has passed.

## Configuration

```lua
alert = {
    -- disabled = false,    -- true: nothing is sent
    -- prefix   = false,    -- true: plugin, host and process are named in the summary and the detail
    -- throttle = 90,       -- minutes until an alert with the same id may be sent again; 0 always
    modules = {             -- where to; see heka.alert.email, heka.alert.irc, heka.alert.channels
        email = { recipients = { "ops@example.com" } },
    },
    thresholds = {          -- settings by id of the alert, or of what is watched; "*" for all others
        ["*"] = { percent = 5 },
    },
    -- lookup = "idrouter", -- who gets it depends on the alert: see heka.alert.idrouter, then the only entry of modules
}
```

An analysis plugin that sends from `process_message` needs `process_message_inject_limit = 1` or more.

## Functions

| function | result |
|---|---|
| `send(id, summary, detail, throttle, ldata)` | whether it was sent: not if disabled, throttled, or if the summary is nil or empty. `throttle` (minutes, optional) replaces the configured one; `ldata` (optional) says to the lookup module who is meant |
| `recover(id [, summary [, detail [, ldata] ] ])` | whether it was sent: that what `send` told of this id has ended. Only after `send`, and once; the next `send` is not throttled |
| `throttled(id [, throttle])` | whether `send` would hold it back now; spares a costly test |
| `get_threshold(id)` | the setting of this id, or of "*" (also called "_default_"), or nil |
| `has_lookup()` | whether a lookup module decides who gets it |
| `get_dashboard_uri(id [, extension])` | where the graph, or another payload, with this name is shown |

The addresses begin with `admin_url` of the main configuration, or where `admin_listen` is, and the web UI shows what they name; without
a web UI they begin with the name of the host, as with Hindsight.

`thresholds` is the configured table. When the last alerts were sent is forgotten at a restart of the plugin, and may be
once the longest throttle used so far has passed.

## Message

Type "alert", Severity 1, Payload the detail, Fields: `id`, `summary`, then those of the modules (`email.recipients`,
`irc.target`). A recovery is Severity 6 and has a last Field, `alert.state` = "recovered"; the output `alert.lua` understands it. Plugins
need not tell it: that output takes an alert for ended when it has not come for a while.
--]]

local string = require "string"
local os     = require "os"

local format, gsub, time = string.format, string.gsub, os.time
local inject_message = inject_message
local error, ipairs, next, pairs, require, type = error, ipairs, next, pairs, require, type

local logger   = read_config("Logger")
local hostname = read_config("Hostname")
local pid      = read_config("Pid")

-- Where the web UI is; without one, where Hindsight's would be.
local dashboards = (read_config("admin_url") or "https://" .. hostname) .. "/dashboard_output/"

local cfg = read_config("alert")
assert(type(cfg) == "table", "alert configuration must be a table")
assert(type(cfg.modules) == "table", "alert.modules configuration must be a table")
if cfg.thresholds == nil then cfg.thresholds = {} end
assert(type(cfg.thresholds) == "table", "alert.thresholds configuration must be nil or a table")

local minutes = cfg.throttle or 90
assert(type(minutes) == "number" and minutes >= 0, "alert.throttle configuration must be a number >= 0")

local lookup
if cfg.lookup then
    assert(type(cfg.lookup) == "string", "alert.lookup configuration must be a string")
    lookup = require("heka.alert." .. cfg.lookup).get_message
    assert(type(lookup) == "function", "invalid alert lookup module specified")
end

local M = {}
setfenv(1, M)

thresholds = cfg.thresholds

-- Fields of the destinations, in the order of their modules.
local function destinations()
    if next(cfg.modules) == nil then error("No alert modules were specified") end
    local fields = {}
    for name in pairs(cfg.modules) do
        local destination = require("heka.alert." .. name)
        if destination.get_message then error("cannot use lookup module without lookup configuration") end
        for _, field in ipairs(destination) do fields[#fields + 1] = field end
    end
    return fields
end

local msg
if not lookup and not cfg.disabled then
    msg = { Type = "alert", Severity = 1, Fields = { { name = "id", value = "" }, { name = "summary", value = "" } } }
    for _, field in ipairs(destinations()) do msg.Fields[#msg.Fields + 1] = field end
end

local function static_message(id, summary, detail)
    if cfg.prefix then
        summary = format("Hindsight [%s#%s] - %s", logger, id, summary)
        detail  = format("Hostname: %s\nPid: %d\n\n%s\n", hostname, pid, detail or "")
    end
    msg.Fields[1].value = id
    msg.Fields[2].value = summary
    msg.Payload = detail
    return msg
end

local STATE = { name = "alert.state", value = "recovered" }

-- The same message, but it says that the alert has ended.
local function recovered(message)
    local fields = {}
    for i, field in ipairs(message.Fields) do fields[i] = field end
    fields[#fields + 1] = STATE
    return { Type = message.Type, Severity = 6, Payload = message.Payload, Fields = fields }
end

-- So many sent alerts are remembered before the first look for those that nobody will ask for.
local SENT_MIN = 1000

local sent, n_sent, sweep_at = {}, 0, SENT_MIN -- id -> second
local longest = minutes * 60

local function forget(id)
    if sent[id] then n_sent = n_sent - 1 end
    sent[id] = nil
end

local function seconds_of(throttle)
    local seconds = (type(throttle) == "number" and throttle or minutes) * 60
    if seconds > longest then longest = seconds end
    return seconds
end

local function sweep(now)
    for id, at in pairs(sent) do
        if now - at > longest then forget(id) end
    end
    sweep_at = n_sent * 2
    if sweep_at < SENT_MIN then sweep_at = SENT_MIN end
end

local function remember(id)
    local now = time()
    if not sent[id] then
        if n_sent >= sweep_at then sweep(now) end
        n_sent = n_sent + 1
    end
    sent[id] = now
end

function throttled(id, throttle)
    local seconds = seconds_of(throttle)
    local at = sent[id]
    return seconds > 0 and at ~= nil and time() - at <= seconds
end

local function message_of(id, summary, detail, ldata)
    if not lookup then return static_message(id, summary, detail) end
    if not ldata then error("cannot call lookup function with no lookup data") end
    return lookup(id, summary, detail, ldata)
end

function send(id, summary, detail, throttle, ldata)
    if cfg.disabled or not summary or summary == "" or throttled(id, throttle) then return false end
    local message = message_of(id, summary, detail, ldata)
    -- A lookup that finds nobody has dealt with the alert as well.
    if message then inject_message(message) end
    remember(id)
    return true
end

function recover(id, summary, detail, ldata)
    if cfg.disabled or not sent[id] then return false end
    local message = message_of(id, summary or "it is over", detail, ldata)
    if message then inject_message(recovered(message)) end
    forget(id)
    return true
end

function get_threshold(id)
    return thresholds[id] or thresholds["*"] or thresholds._default_
end

function has_lookup()
    return lookup ~= nil
end

local function in_uri(text)
    return (gsub(text, "[^%w.]", "_"))
end

function get_dashboard_uri(id, extension)
    if not extension or extension == "cbuf" then
        return format("%sgraphs/%s.%s.html", dashboards, in_uri(logger), in_uri(id))
    end
    return format("%s%s.%s.%s", dashboards, in_uri(logger), in_uri(id), in_uri(extension))
end

return M
