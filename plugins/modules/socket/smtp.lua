-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# SMTP client: sends mail

The names are those of LuaSocket's `socket.smtp`.

```
local smtp = require "socket.smtp"
local ok, err = smtp.send {
    from   = "<foresight@example.com>",
    rcpt   = { "<one@example.com>", "<two@example.com>" },
    server = "127.0.0.1",
    port   = 2525,
    source = smtp.message { headers = { subject = "An alert" }, body = "It is too hot.\r\n" },
}
if not ok then print("not sent", err) end
```

## Functions

`send(mail)` hands a mail to a server: 1, or nil and the reason. Keys of the table:

| key | |
|---|---|
| `from` | the sender's address, with its angle brackets |
| `rcpt` | the address of the receiver, or an array of them |
| `source` | the text of the mail, an LTN12 source, such as `message` makes |
| `server`, `port` | the server: `SERVER` and `PORT` if none is given |
| `domain` | how this machine calls itself: `DOMAIN` if it is not given |
| `user`, `password` | who sends, if the server wants to know: by LOGIN or PLAIN |
| `starttls` | parameters of `ssl.newcontext`: the connection is made safe by STARTTLS before anything is told, or the mail is not sent. Not in LuaSocket |
| `step` | moves one piece of the text, as `ltn12.pump.step` |
| `create` | a function that makes the socket, for a server that speaks TLS from the beginning |

Line ends of the text become CRLF, and dots at the head of lines are doubled.

`message(mail)` gives a source of a mail's text. `mail.headers` is a table of headers, names in any case; `mail.body` is a
text, an LTN12 source, or an array of such tables: the parts of a multipart mail, with a `preamble` and an `epilogue` if
they are wanted. Headers that are not given: `date`, `x-mailer`, `mime-version`, `content-type`. `mail.zone` is the zone
of the date, `ZONE` if it is not given.

`open([server[, port[, create] ] ])` is a conversation with a server whose parts can be said one by one: `greet(domain)`,
`starttls(params)`, `auth(user, password, extensions)`, `login(user, password)`, `plain(user, password)`, `mail(from)`,
`rcpt(to)`, `data(source, step)`, `send(mail)`, `quit()`, `close()`. These raise errors for `socket.protect`.

## Settings

`TIMEOUT` (60 seconds), `SERVER` ("localhost"), `PORT` (25), `DOMAIN`, `ZONE` ("-0000").
--]]

local headers = require "socket.headers"
local ltn12   = require "ltn12"
local math    = require "math"
local mime    = require "mime"
local os      = require "os"
local socket  = require "socket"
local string  = require "string"
local table   = require "table"
local tp      = require "socket.tp"

local error, ipairs, pairs, require, setmetatable, tostring, type, unpack =
    error, ipairs, pairs, require, setmetatable, tostring, type, unpack
local find, format, lower, match = string.find, string.format, string.lower, string.match
local concat = table.concat

-- How deep parts of a mail may have parts.
local DEPTH_MAX = 20

local M = {
    TIMEOUT = 60,
    SERVER  = "localhost",
    PORT    = 25,
    DOMAIN  = os.getenv "SERVER_NAME" or "localhost",
    ZONE    = "-0000",
}

-- ---- A conversation ----

local methods = {}

-- Says who we are; the extensions that the server offers.
function methods:hello(domain)
    self.try(self.tp:command("EHLO", domain or M.DOMAIN))
    local _, extensions = self.try(self.tp:check("2.."))
    return extensions
end

function methods:greet(domain)
    self.try(self.tp:check("2.."))
    return self:hello(domain)
end

function methods:starttls(params, domain)
    local ssl = require "ssl"
    self.try(self.tp:command("STARTTLS"))
    self.try(self.tp:check("2.."))
    local plain = self.tp.c
    local secure, err = ssl.wrap(plain, params)
    self.try(secure, err)
    self.tp.c = secure
    if self.server then secure:sni(self.server) end
    self.try(secure:dohandshake())
    return self:hello(domain)
end

function methods:login(user, password)
    self.try(self.tp:command("AUTH", "LOGIN"))
    self.try(self.tp:check("3.."))
    self.try(self.tp:send((mime.b64(user) or "") .. "\r\n"))
    self.try(self.tp:check("3.."))
    self.try(self.tp:send((mime.b64(password) or "") .. "\r\n"))
    return self.try(self.tp:check("2.."))
end

function methods:plain(user, password)
    self.try(self.tp:command("AUTH", "PLAIN " .. mime.b64("\0" .. user .. "\0" .. password)))
    return self.try(self.tp:check("2.."))
end

function methods:auth(user, password, extensions)
    if not user or not password then return 1 end
    local offered = match(extensions or "", "AUTH[ =]([^\r\n]*)") or ""
    if find(offered, "LOGIN", 1, true) then return self:login(user, password) end
    if find(offered, "PLAIN", 1, true) then return self:plain(user, password) end
    self.try(nil, "authentication not supported")
end

function methods:mail(from)
    self.try(self.tp:command("MAIL", "FROM:" .. from))
    return self.try(self.tp:check("2.."))
end

function methods:rcpt(to)
    self.try(self.tp:command("RCPT", "TO:" .. to))
    return self.try(self.tp:check("2.."))
end

function methods:data(source, step)
    self.try(self.tp:command("DATA"))
    self.try(self.tp:check("3.."))
    self.try(self.tp:source(source, step))
    self.try(self.tp:send("\r\n.\r\n"))
    return self.try(self.tp:check("2.."))
end

function methods:quit()
    self.try(self.tp:command("QUIT"))
    return self.try(self.tp:check("2.."))
end

function methods:close()
    return self.tp:close()
end

function methods:send(mail)
    self:mail(mail.from)
    local receivers = mail.rcpt
    if type(receivers) ~= "table" then receivers = { receivers } end
    for _, receiver in ipairs(receivers) do self:rcpt(receiver) end
    local text = ltn12.source.chain(mail.source, mime.normalize(), mime.stuff())
    return self:data(text, mail.step)
end

function M.open(server, port, create)
    server = server or M.SERVER
    local conversation = socket.try(tp.connect(server, port or M.PORT, M.TIMEOUT, create))
    local s = setmetatable({ tp = conversation, server = server }, { __index = methods })
    s.try = socket.newtry(function() s:close() end)
    return s
end

-- ---- Texts ----

local function header_text(given)
    local lines = {}
    for name, value in pairs(given) do
        value = tostring(value)
        -- A line that begins with a space belongs to the one before.
        if find(value, "\r?\n[^ \t]") or find(value, "\n$") or find(name, "[%s:]") then
            error("invalid header '" .. tostring(name) .. "'", 0)
        end
        lines[#lines + 1] = headers.canonic[lower(name)] .. ": " .. value .. "\r\n"
    end
    return concat(lines)
end

local n_boundaries = 0

local function new_boundary()
    n_boundaries = n_boundaries + 1
    return format("%s%05d==%05u", os.date("%d%m%Y%H%M%S"), math.random(0, 99999), n_boundaries)
end

local add_part

local function add_multipart(sources, part, given, depth)
    local boundary = new_boundary()
    given["content-type"] = (given["content-type"] or "multipart/mixed") .. '; boundary="' .. boundary .. '"'
    local function add(text) sources[#sources + 1] = ltn12.source.string(text) end
    add(header_text(given) .. "\r\n")
    if part.body.preamble then add(part.body.preamble .. "\r\n") end
    for _, inner in ipairs(part.body) do
        add("\r\n--" .. boundary .. "\r\n")
        add_part(sources, inner, {}, depth + 1)
    end
    add("\r\n--" .. boundary .. "--\r\n\r\n")
    if part.body.epilogue then add(part.body.epilogue .. "\r\n") end
end

-- Adds the sources of one part, its headers first.
function add_part(sources, part, defaults, depth)
    if depth > DEPTH_MAX then error("mail nested too deeply", 0) end
    local given = defaults
    for name, value in pairs(part.headers or {}) do given[lower(name)] = value end
    if type(part.body) == "table" then return add_multipart(sources, part, given, depth) end
    given["content-type"] = given["content-type"] or 'text/plain; charset="iso-8859-1"'
    sources[#sources + 1] = ltn12.source.string(header_text(given) .. "\r\n")
    local body = part.body
    sources[#sources + 1] = type(body) == "function" and body or ltn12.source.string(tostring(body or ""))
end

function M.message(mail)
    local defaults = {
        date             = os.date("!%a, %d %b %Y %H:%M:%S ") .. (mail.zone or M.ZONE),
        ["x-mailer"]     = socket._VERSION,
        ["mime-version"] = "1.0",
    }
    local sources = {}
    add_part(sources, mail, defaults, 1)
    return ltn12.source.cat(unpack(sources))
end

M.send = socket.protect(function(mail)
    local s = M.open(mail.server, mail.port, mail.create)
    local extensions = s:greet(mail.domain)
    if mail.starttls then extensions = s:starttls(mail.starttls, mail.domain) end
    s:auth(mail.user, mail.password, extensions)
    s:send(mail)
    s:quit()
    return s:close()
end)

-- Plugins reach it by either name.
socket.smtp = M

return M
