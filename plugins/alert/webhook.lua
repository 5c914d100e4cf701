-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Alerts by a webhook: a JSON document, signed if wanted

A channel of the output `alert.lua`.

## Configuration

```lua
kind = "webhook"
url  = "https://example.com/alerts" -- or "env:NAME", "file:/path"
-- secret  = "file:/run/secrets/hook" -- signs each request
-- headers = { authorization = "env:HOOK_AUTHORIZATION" } -- values may stand elsewhere, too
-- timeout = 10                       -- seconds
-- tls     = { cafile = "/etc/ssl/ours.pem" } -- see reference/ssl.md
```

The body is what `alerting.wording.document` makes. Every request names its notification in `X-Foresight-Notification`,
which stays the same when it is sent again. With a secret `X-Foresight-Timestamp` has the time in seconds, and
`X-Foresight-Signature` is `sha256=` with the hexadecimal HMAC-SHA-256 of timestamp, a dot, and the body.

The module has `new(cfg)`, which returns a function that delivers a notification.
--]]

local cjson   = require "cjson"
local openssl = require "openssl"
local os      = require "os"
local post    = require "alerting.post"
local secret  = require "alerting.secret"
local string  = require "string"
local wording = require "alerting.wording"

local error, pairs, type = error, pairs, type
local format, time = string.format, os.time
local hmac = openssl.hmac.hmac

local M = {}
setfenv(1, M)

local function headers_of(cfg, notification, body)
    local headers = { ["x-foresight-notification"] = notification.nid }
    for name, value in pairs(cfg.headers or {}) do
        local text, err = secret.read(value)
        if not text then return nil, err end
        headers[name] = text
    end
    if cfg.secret then
        local key, err = secret.read(cfg.secret)
        if not key then return nil, err end
        local stamp = format("%d", time())
        headers["x-foresight-timestamp"] = stamp
        headers["x-foresight-signature"] = "sha256=" .. hmac("sha256", stamp .. "." .. body, key)
    end
    return headers
end

function new(cfg)
    if not secret.check(cfg.url, "url") then error("url must be a string", 0) end
    secret.check(cfg.secret, "secret")
    if cfg.headers ~= nil and type(cfg.headers) ~= "table" then error("headers must be a table", 0) end
    return function(notification)
        local url, err = secret.read(cfg.url)
        if not url then return nil, err end
        local body = cjson.encode(wording.document(notification))
        local headers
        headers, err = headers_of(cfg, notification, body)
        if not headers then return nil, err end
        return post.json { url = url, body = body, headers = headers, timeout = cfg.timeout, tls = cfg.tls }
    end
end

return M
