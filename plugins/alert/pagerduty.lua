-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Alerts to PagerDuty: events of its API, version 2

A channel of the output `alert.lua`. Each alert triggers an incident, which its recovery resolves: `dedup_key` is the
plugin and the alert's id.

## Configuration

```lua
kind        = "pagerduty"
routing_key = "file:/run/secrets/pagerduty" -- or "env:NAME"
-- url       = "https://events.pagerduty.com/v2/enqueue"
-- component = "telemetry"
-- timeout   = 10                           -- seconds
-- tls       = { cafile = "/etc/ssl/ours.pem" } -- see reference/ssl.md
```

Severities 0 to 2 are `critical`, 3 `error`, 4 `warning`, others `info`. The module has `new(cfg)`, which returns a
function that delivers a notification, one event for each of its alerts.
--]]

local cjson   = require "cjson"
local openssl = require "openssl"
local os      = require "os"
local post    = require "alerting.post"
local secret  = require "alerting.secret"
local string  = require "string"
local wording = require "alerting.wording"

local error, ipairs = error, ipairs
local date, sub = os.date, string.sub

-- Limits of the API.
local SUMMARY_MAX = 1024
local KEY_MAX     = 255
local SEVERITIES  = { [0] = "critical", "critical", "critical", "error", "warning" }

local M = {}
setfenv(1, M)

local function dedup_key(alert)
    local key = alert.plugin .. "#" .. alert.id
    return #key <= KEY_MAX and key or openssl.digest.digest("sha256", key)
end

local function event(cfg, key, alert, link)
    local made = { routing_key = key, dedup_key = dedup_key(alert), event_action = "trigger", client = "Foresight", client_url = link }
    if alert.state == "recovered" then
        made.event_action = "resolve"
        return made
    end
    made.payload = {
        summary = sub(wording.line(alert), 1, SUMMARY_MAX), source = alert.host ~= "" and alert.host or "foresight",
        severity = alert.state == "test" and "info" or SEVERITIES[alert.severity] or "info", component = cfg.component,
        group = alert.plugin, class = alert.id, timestamp = date("!%Y-%m-%dT%H:%M:%SZ", alert.at),
        custom_details = { detail = alert.detail, count = alert.count or 1 },
    }
    return made
end

function new(cfg)
    if not secret.check(cfg.routing_key, "routing_key") then error("routing_key must be a string", 0) end
    local url = secret.check(cfg.url, "url") or "https://events.pagerduty.com/v2/enqueue"
    return function(notification)
        local key, err = secret.read(cfg.routing_key)
        if not key then return nil, err end
        -- Sent again they change nothing, so a failure in the middle begins anew.
        for _, alert in ipairs(notification.alerts) do
            local body = cjson.encode(event(cfg, key, alert, notification.link))
            local ok, reason, how = post.json { url = url, body = body, timeout = cfg.timeout, tls = cfg.tls }
            if not ok then return nil, reason, how end
        end
        return true
    end
end

return M
