-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Alerts by mail

A channel of the output `alert.lua`. Under the name `email` in `alert.modules` it writes to the recipients that the alert
itself names, as `heka.alert.email` makes them.

## Configuration

```lua
kind       = "email"
from       = "foresight@example.com"
recipients = { "ops@example.com" } -- of a channel; an alert for modules.email names its own
-- server   = "localhost"
-- port     = 25                   -- 465 with ssl_params
-- timeout  = 15                   -- seconds
-- starttls = { cafile = "/etc/ssl/ours.pem" } -- the connection is made safe by STARTTLS, or nothing is sent; {} for the
--                                 -- system's authorities
-- ssl_params = { mode = "client" } -- the server speaks TLS from the beginning; see reference/ssl.md
-- user      = "smtp_user"
-- _password = "env:SMTP_PASSWORD" -- or "file:/path", or the password; only with TLS
-- domain    = "host.example.com"  -- how this machine calls itself
```

The subject says what happened, the body the rest. A channel sends its password over TLS only. Server certificates are
verified with `starttls`, with `ssl_params` as these say. The module has `new(cfg)`, which returns a function that
delivers a notification.
--]]

local ltn12   = require "ltn12"
local mime    = require "mime"
local secret  = require "alerting.secret"
local smtp    = require "socket.smtp"
local socket  = require "socket"
local ssl     = require "ssl"
local string  = require "string"
local table   = require "table"
local wording = require "alerting.wording"

local assert, error, ipairs, pairs, setmetatable, type = assert, error, ipairs, pairs, setmetatable, type
local concat, find, format, gsub, match, sub =
    table.concat, string.find, string.format, string.gsub, string.match, string.sub

-- Longest subject, bytes.
local SUBJECT_MAX = 200
-- Lines of a mail have at most 998 bytes; longer ones are encoded.
local PLAIN_LINE_MAX = 900
local ANY_RECIPIENT = "AlertRecipients <noreply@example.com>"

local M = {}
setfenv(1, M)

local function bracketed(address)
    return find(address, "^<") and address or format("<%s>", address)
end

-- A function that makes sockets which speak TLS from the beginning.
local function secure_socket(params, timeout)
    local context = assert(ssl.newcontext(params))
    return function()
        local sock = socket.tcp()
        local methods = {}
        function methods.connect(_, host, port)
            sock:settimeout(timeout)
            local ok, err = sock:connect(host, port)
            if not ok then return nil, err end
            local plain = sock
            sock, err = ssl.wrap(plain, context)
            if not sock then
                sock = plain
                return nil, err
            end
            sock:sni(host)
            ok, err = sock:dohandshake()
            if not ok then return nil, err end
            return 1
        end
        return setmetatable(methods, { __index = function(_, name)
            return function(_, ...) return sock[name](sock, ...) end
        end })
    end
end

-- RFC 2047; words of a header have at most 75 characters.
local function header_text(text)
    text = sub(text, 1, SUBJECT_MAX)
    if not find(text, "[\128-\255]") then return text end
    local words = {}
    local at = 1
    while at <= #text do
        local stop = at + 44
        -- A character is not cut in two.
        while stop < #text and find(sub(text, stop + 1, stop + 1), "[\128-\191]") and stop > at + 40 do stop = stop - 1 end
        words[#words + 1] = format("=?UTF-8?B?%s?=", (mime.b64(sub(text, at, stop))))
        at = stop + 1
    end
    return concat(words, "\r\n ")
end

local function is_plain(body)
    if find(body, "[\128-\255]") then return false end
    for line in string.gmatch(body, "[^\n]+") do
        if #line > PLAIN_LINE_MAX then return false end
    end
    return true
end

local function source_of(cfg, notification, recipients, body)
    local headers = {
        from = cfg.from, to = cfg.recipients and concat(recipients, ",\r\n ") or ANY_RECIPIENT,
        subject = header_text(wording.title(notification)), ["content-type"] = 'text/plain; charset="utf-8"',
        ["message-id"] = format("<%s@foresight>", notification.nid), ["auto-submitted"] = "auto-generated",
    }
    if is_plain(body) then return smtp.message { headers = headers, body = body } end
    headers["content-transfer-encoding"] = "base64"
    local encoded = ltn12.source.chain(ltn12.source.string(body),
        ltn12.filter.chain(mime.normalize(), mime.encode("base64"), mime.wrap("base64")))
    return smtp.message { headers = headers, body = encoded }
end

-- An alert of a plugin that names its recipients has its text as it is.
local function body_of(notification)
    local of_plugin = notification.to
    if not of_plugin or #notification.alerts > 1 then return wording.text(notification) end
    local footer = of_plugin.footer and of_plugin.footer[1] or ""
    return (notification.alerts[1].detail or "") .. footer
end

local function check(cfg)
    if type(cfg.from) ~= "string" then error("from must be a string", 0) end
    if cfg.server ~= nil and type(cfg.server) ~= "string" then error("server must be a string", 0) end
    if cfg.port ~= nil and type(cfg.port) ~= "number" then error("port must be a number", 0) end
    if cfg.timeout ~= nil and type(cfg.timeout) ~= "number" then error("timeout must be a number", 0) end
    secret.check(cfg._password, "_password")
    if cfg.recipients ~= nil and (type(cfg.recipients) ~= "table" or #cfg.recipients == 0) then
        error("recipients must be an array", 0)
    end
    -- Configurations of modules.email that were written for Hindsight may do it.
    if cfg.recipients and cfg._password and not cfg.starttls and not cfg.ssl_params then
        error("_password needs starttls or ssl_params", 0)
    end
end

local function starttls_of(cfg)
    if not cfg.starttls then return nil end
    local params = { mode = "client", protocol = "any", verify = "peer" }
    if type(cfg.starttls) == "table" then
        for name, value in pairs(cfg.starttls) do params[name] = value end
    end
    return params
end

function new(cfg)
    check(cfg)
    local timeout = cfg.timeout or 15
    local starttls = starttls_of(cfg)
    local create = cfg.ssl_params and secure_socket(cfg.ssl_params, timeout)
    return function(notification)
        local recipients = {}
        for i, address in ipairs(cfg.recipients or notification.to and notification.to.recipients or {}) do
            recipients[i] = bracketed(address)
        end
        if #recipients == 0 then return nil, "the alert names no recipients", "refused" end
        local password, err = secret.read(cfg._password)
        if cfg._password and not password then return nil, err end
        smtp.TIMEOUT = timeout
        local ok, reason = smtp.send {
            from = bracketed(cfg.from), rcpt = recipients, server = cfg.server or "localhost",
            port = cfg.port or cfg.ssl_params and 465 or 25, domain = cfg.domain, user = cfg.user, password = password,
            starttls = starttls, create = create, source = source_of(cfg, notification, recipients, body_of(notification)),
        }
        if ok then return true end
        reason = sub(gsub(reason or "unknown", "%c+", " "), 1, 200)
        -- What is said of a recipient or of the text stays true.
        return nil, reason, match(reason, "^55[0-4]") and "refused" or nil
    end
end

return M
