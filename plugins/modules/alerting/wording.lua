-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Wording of alerts: what people read

A notification is a table: `alerts` is an array of alerts, `more` how many more there are that are not listed, `about`
what they have in common, `nid` its name, `at` its time in seconds, `link` (optional) where to look. An alert has
`state` ("firing", "recovered" or "test"), `plugin`, `id`, `summary`, `detail`, `severity`, `host`, `at`, `count`.

## Functions

`title(notification)` returns one line. `state(notification)` is that of its alerts: "firing" if one is. `line(alert)`
says one alert in a line. `text(notification)` says everything. `document(notification)` is a table for JSON.
--]]

local os     = require "os"
local string = require "string"
local table  = require "table"

local ipairs = ipairs
local concat, date, format, gsub = table.concat, os.date, string.format, string.gsub

local M = {}
setfenv(1, M)

local function one_line(text)
    return (gsub(text or "", "%c+", " "))
end

function state(n)
    local found
    for _, alert in ipairs(n.alerts) do
        if alert.state == "firing" then return "firing" end
        found = alert.state
    end
    return found
end

function title(n)
    local first = n.alerts[1]
    local how = state(n)
    if #n.alerts == 1 and (n.more or 0) == 0 then
        local summary = one_line(first.summary)
        if how == "recovered" then return "Recovered: " .. summary end
        if how == "test" then return "Test: " .. summary end
        return summary
    end
    local count = #n.alerts + (n.more or 0)
    if how == "recovered" then return format("Recovered: %d alerts of %s", count, one_line(n.about)) end
    return format("%d alerts of %s", count, one_line(n.about))
end

function line(alert)
    local text = one_line(alert.summary)
    if alert.state == "recovered" then text = "Recovered: " .. text end
    if (alert.count or 1) > 1 then text = format("%s (%d times)", text, alert.count) end
    return text
end

local function about(alert)
    return format("%s, alert %s, on %s, %s UTC", one_line(alert.plugin), one_line(alert.id), one_line(alert.host),
        date("!%Y-%m-%d %H:%M:%S", alert.at))
end

function text(n)
    local parts = {}
    for _, alert in ipairs(n.alerts) do
        local detail = alert.detail or ""
        parts[#parts + 1] = line(alert)
        parts[#parts + 1] = about(alert)
        if detail ~= "" then parts[#parts + 1] = "\n" .. detail end
        parts[#parts + 1] = ""
    end
    if (n.more or 0) > 0 then parts[#parts + 1] = format("and %d more that are not listed\n", n.more) end
    if n.link then parts[#parts + 1] = n.link end
    return concat(parts, "\n") .. "\n"
end

function document(n)
    local alerts = {}
    for i, alert in ipairs(n.alerts) do
        alerts[i] = {
            state = alert.state, plugin = alert.plugin, id = alert.id, summary = alert.summary, detail = alert.detail,
            severity = alert.severity, host = alert.host, at = alert.at, count = alert.count or 1,
        }
    end
    return {
        version = 1, notification = n.nid, state = state(n), title = title(n), about = n.about, at = n.at, link = n.link,
        more = n.more or 0, alerts = alerts,
    }
end

return M
