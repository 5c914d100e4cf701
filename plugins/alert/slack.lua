-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Alerts by a webhook that understands Slack's messages: Slack, Mattermost, Rocket.Chat, Discord's /slack

A channel of the output `alert.lua`.

## Configuration

```lua
kind = "slack"
url  = "env:SLACK_URL"        -- or "file:/path", or the URL itself
-- channel  = "#ops"          -- where the webhook allows it
-- username = "Foresight"
-- detail   = true            -- false: without the details
-- timeout  = 10              -- seconds
-- tls      = { cafile = "/etc/ssl/ours.pem" } -- see reference/ssl.md
```

The module has `new(cfg)`, which returns a function that delivers a notification.
--]]

local cjson   = require "cjson"
local post    = require "alerting.post"
local secret  = require "alerting.secret"
local string  = require "string"
local table   = require "table"
local wording = require "alerting.wording"

local error, ipairs = error, ipairs
local concat, format, gsub, sub = table.concat, string.format, string.gsub, string.sub

-- Longest detail of one alert in a message, bytes.
local DETAIL_MAX = 500
local COLOURS = { firing = "danger", recovered = "good", test = "#777777" }

local M = {}
setfenv(1, M)

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }

local function escaped(text)
    return (gsub(text, "[&<>]", ESCAPES))
end

local function lines_of(notification, with_detail)
    local lines = {}
    for _, alert in ipairs(notification.alerts) do
        lines[#lines + 1] = format("%s _%s, %s_", escaped(wording.line(alert)), escaped(alert.plugin), escaped(alert.id))
        if with_detail and alert.detail and alert.detail ~= "" then
            lines[#lines + 1] = "```" .. gsub(escaped(sub(alert.detail, 1, DETAIL_MAX)), "```", "'''") .. "```"
        end
    end
    if (notification.more or 0) > 0 then lines[#lines + 1] = format("and %d more", notification.more) end
    if notification.link then lines[#lines + 1] = escaped(notification.link) end
    return concat(lines, "\n")
end

function new(cfg)
    if not secret.check(cfg.url, "url") then error("url must be a string", 0) end
    return function(notification)
        local url, err = secret.read(cfg.url)
        if not url then return nil, err end
        local title = wording.title(notification)
        local body = {
            text = format("*%s*", escaped(title)), channel = cfg.channel, username = cfg.username,
            attachments = { {
                color = COLOURS[wording.state(notification)], fallback = title, mrkdwn_in = { "text" },
                text = lines_of(notification, cfg.detail ~= false),
            } },
        }
        return post.json { url = url, body = cjson.encode(body), timeout = cfg.timeout, tls = cfg.tls }
    end
end

return M
