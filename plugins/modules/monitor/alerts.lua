-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Monitor alerts: at most one alert of a subject in its refractory period, over restarts

A subject is what is watched, for instance a kind of documents. Whatever is found strange about it meanwhile belongs to the alert that was
sent: one fault gives one alert. Time is that of the messages. Alerts wait for `timer_event`, because an analysis plugin may inject there.

## Functions

`new(options)` returns the sender. `options.refractory` is the period in seconds (default 21600); `options.payloads` how many payloads
the plugin injects in `timer_event`: with the alerts they must stay below `timer_event_inject_limit` (default 10).

| method | result |
|---|---|
| `sender:state()` | a new state, to be kept in a global of the plugin |
| `sender:rested(state, ns, subject)` | whether an alert of the subject would be sent |
| `sender:hold(state, ns, subject)` | begins its refractory period, because another alert speaks of it too |
| `sender:raise(state, ns, subject, id, summary, detail)` | takes an alert if the subject is rested; whether it did |
| `sender:send(state)` | sends what waits, as far as the limit allows; the rest waits for the next call |

Limits: 100 alerts wait, more are dropped and counted in `state.dropped`. 10,000 subjects are remembered; beyond that all are forgotten,
and may come again.

`date(ns)` writes a time as `2026-11-24T21:00:00Z`.
--]]

local math   = require "math"
local os     = require "os"
local string = require "string"
local table  = require "table"
local alert  = require "heka.alert"

local floor = math.floor
local remove = table.remove
local assert, pairs, read_config, setmetatable, type = assert, pairs, read_config, setmetatable, type
local format, os_date = string.format, os.date

local M = {}
setfenv(1, M)

local WAITING_MAX  = 100
local SUBJECTS_MAX = 10000
-- What the engine allows where nothing is configured.
local INJECTS      = 10

function date(ns)
    return os_date("!%Y-%m-%dT%H:%M:%SZ", floor(ns / 1e9))
end

local sender = {}
sender.__index = sender

function new(options)
    local refractory = options.refractory or 21600
    assert(type(refractory) == "number" and refractory >= 0, "refractory must be a number >= 0")
    local payloads = options.payloads or 0
    local injects = read_config("timer_event_inject_limit") or INJECTS
    assert(injects > payloads, format("timer_event_inject_limit must be at least %d", payloads + 1))
    return setmetatable({ refractory_ns = refractory * 1e9, batch = injects - payloads }, sender)
end

function sender:state()
    return { waiting = {}, last = {}, n_last = 0, dropped = 0 }
end

function sender:rested(state, ns, subject)
    local at = state.last[subject]
    return not at or ns - at >= self.refractory_ns
end

local function sweep(self, state, ns)
    for subject, at in pairs(state.last) do
        if ns - at >= self.refractory_ns then
            state.last[subject] = nil
            state.n_last = state.n_last - 1
        end
    end
    if state.n_last >= SUBJECTS_MAX then state.last, state.n_last = {}, 0 end
end

function sender:hold(state, ns, subject)
    if not state.last[subject] then
        if state.n_last >= SUBJECTS_MAX then sweep(self, state, ns) end
        state.n_last = state.n_last + 1
    end
    state.last[subject] = ns
end

function sender:raise(state, ns, subject, id, summary, detail)
    if not self:rested(state, ns, subject) then return false end
    self:hold(state, ns, subject)
    if #state.waiting >= WAITING_MAX then
        state.dropped = state.dropped + 1
    else
        state.waiting[#state.waiting + 1] = { id = id, summary = summary, detail = detail }
    end
    return true
end

function sender:send(state)
    for _ = 1, self.batch do
        local one = remove(state.waiting, 1)
        if not one then return end
        -- The refractory period has been looked at already, and outlives a restart.
        alert.send(one.id, one.summary, one.detail, 0)
    end
end

return M
