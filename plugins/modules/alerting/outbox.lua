-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Outbox: what waits for one channel, is gathered, sent, and sent again

Notifications are gathered for `group_wait` seconds by what they have in common, then wait in a queue that is sent in
order. A failure makes the channel wait, longer each time; nothing is lost meanwhile: when the queue is full, further
alerts are added to the newest notification, first listed, then counted.

## Functions

`new(name, options)` returns an outbox. Options: `send` (delivers a notification; true, or nil, a reason and what to do,
see `alerting.post`), `group_wait` (seconds), `group_by` ("plugin", "id" or "all"), `retry_min` and `retry_max`
(seconds), `link` (put into notifications), `given_up` (called with a notification that cannot be delivered, and the
reason).

| method | |
|---|---|
| `adopt(saved)` | works on this table from now on, which the plugin preserves: `queue` and `groups` |
| `add(alert, to, now)` | an alert to be told; `to` (optional) is what the alert says of its receivers, as values by name |
| `round(now[, all])` | sends what is due, with `all` also what is still gathered; whether nothing waits any more |
| `is_empty()` | whether nothing waits |
| `status()` | a table: `waiting`, `failures`, `error`, `sent_at`, `sent` |
--]]

local math    = require "math"
local openssl = require "openssl"
local os      = require "os"
local string  = require "string"
local table   = require "table"

local ipairs, next, pairs, pcall, setmetatable, tostring, type =
    ipairs, next, pairs, pcall, setmetatable, tostring, type
local concat, remove, sort = table.concat, table.remove, table.sort
local sub = string.sub
local hex, random = openssl.hex, openssl.random
local min, time = math.min, os.time

-- Notifications that wait for one channel at most.
local QUEUE_MAX = 100
-- Groups that are gathered at the same time; further alerts go alone.
local GROUPS_MAX = 200
-- Alerts that a notification lists, and how many of them with their whole detail.
local LISTED_MAX = 20
local WHOLE_MAX  = 5
-- Of the others, bytes.
local SHORT_MAX  = 200
-- Notifications sent in one round.
local ROUND_MAX  = 50
-- A notification that was refused so often is given up.
local REFUSALS_MAX = 3

local M = {}
setfenv(1, M)

local methods = {}

local function count(entries)
    local n = 0
    for _ in pairs(entries) do n = n + 1 end
    return n
end

function methods:adopt(saved)
    self.queue  = saved.queue
    self.groups = saved.groups
end

-- What the alert says of its receivers, as a text: two with the same one may go together.
local function signature(to)
    if not to then return "" end
    local parts = {}
    for name, values in pairs(to) do parts[#parts + 1] = name .. "=" .. concat(values, "\1") end
    sort(parts)
    return concat(parts, "\2")
end

local function about(alert, by)
    if by == "all" then return "all plugins" end
    if by == "id" then return alert.plugin .. " " .. alert.id end
    return alert.plugin
end

-- A copy, because alerts go on to change.
local function copy_of(alert, is_whole)
    local copy = {}
    for name, value in pairs(alert) do copy[name] = value end
    if not is_whole then copy.detail = sub(copy.detail or "", 1, SHORT_MAX) end
    return copy
end

-- Adds an alert to a notification: in place of an older state of itself, listed, or counted.
local function include(notification, alert)
    local alerts = notification.alerts
    for i, other in ipairs(alerts) do
        if other.plugin == alert.plugin and other.id == alert.id then
            alerts[i] = copy_of(alert, i <= WHOLE_MAX)
            return
        end
    end
    if #alerts < LISTED_MAX then
        alerts[#alerts + 1] = copy_of(alert, #alerts < WHOLE_MAX)
    else
        notification.more = notification.more + 1
    end
end

local function notification_of(self, alert, to, now)
    return {
        nid = hex(random(12)), about = about(alert, self.options.group_by), at = now, since = now, more = 0, to = to,
        to_key = signature(to), link = self.options.link, alerts = { copy_of(alert, true) },
    }
end

-- Puts a notification into the queue; into a full one by way of one with the same receivers: the newest that has room to
-- list it, or else the newest, which counts it.
local function push(self, notification)
    if #self.queue < QUEUE_MAX then
        self.queue[#self.queue + 1] = notification
        return
    end
    local chosen
    for i = #self.queue, 1, -1 do
        local waiting = self.queue[i]
        if waiting.to_key == notification.to_key then
            chosen = chosen or waiting
            if #waiting.alerts + #notification.alerts <= LISTED_MAX then
                chosen = waiting
                break
            end
        end
    end
    if not chosen then return self.options.given_up(notification, "the queue is full") end
    for _, alert in ipairs(notification.alerts) do include(chosen, alert) end
    chosen.more = chosen.more + notification.more
    if chosen.about ~= notification.about then chosen.about = "several plugins" end
end

function methods:add(alert, to, now)
    local wait = self.options.group_wait or 0
    -- What was tried by hand is wanted now.
    if wait <= 0 or alert.state == "test" then return push(self, notification_of(self, alert, to, now)) end
    local key = about(alert, self.options.group_by) .. "\3" .. signature(to)
    local group = self.groups[key]
    if group then return include(group, alert) end
    local made = notification_of(self, alert, to, now)
    if count(self.groups) >= GROUPS_MAX then return push(self, made) end
    self.groups[key] = made
end

-- Moves complete groups into the queue, the oldest first.
local function close_groups(self, now, all)
    local complete = {}
    for key, group in pairs(self.groups) do
        local age = now - group.since
        -- A clock that was set back must not hold them.
        if all or age < 0 or age >= (self.options.group_wait or 0) then complete[#complete + 1] = key end
    end
    sort(complete, function(a, b)
        local first, second = self.groups[a], self.groups[b]
        if first.since ~= second.since then return first.since < second.since end
        return a < b
    end)
    for _, key in ipairs(complete) do
        local group = self.groups[key]
        self.groups[key] = nil
        group.since = nil
        push(self, group)
    end
end

local function failed(self, reason, how, now)
    local notification = self.queue[1]
    self.failures = self.failures + 1
    self.error = sub(tostring(reason), 1, 200)
    local wait = min(self.options.retry_max or 300, (self.options.retry_min or 1) * 2 ^ min(self.failures - 1, 20))
    if type(how) == "number" then wait = how end
    self.retry_at = now + wait
    if how ~= "refused" then return end
    notification.refusals = (notification.refusals or 0) + 1
    if notification.refusals < REFUSALS_MAX then return end
    remove(self.queue, 1)
    self.options.given_up(notification, self.error)
end

-- Whether the first of the queue was sent.
local function send_first(self)
    local ok, sent, reason, how = pcall(self.options.send, self.queue[1])
    local now = time()
    if not ok then sent, reason, how = nil, sent, nil end
    if not sent then
        failed(self, reason or "unknown", how, now)
        return false
    end
    remove(self.queue, 1)
    self.failures, self.error, self.retry_at = 0, nil, 0
    self.sent, self.sent_at = self.sent + 1, now
    return true
end

function methods:round(now, all)
    close_groups(self, now, all)
    -- A clock that was set back must not hold it either.
    if now < self.retry_at and self.retry_at - now <= 2 * 3600 then return self:is_empty() end
    for _ = 1, ROUND_MAX do
        if #self.queue == 0 or not send_first(self) then break end
    end
    return self:is_empty()
end

function methods:is_empty()
    return #self.queue == 0 and next(self.groups) == nil
end

function methods:status()
    return {
        name = self.name, kind = self.options.kind, waiting = #self.queue + count(self.groups), failures = self.failures, error = self.error,
        sent = self.sent, sent_at = self.sent_at,
    }
end

function new(name, options)
    local self = { name = name, options = options, queue = {}, groups = {}, failures = 0, retry_at = 0, sent = 0 }
    return setmetatable(self, { __index = methods })
end

return M
