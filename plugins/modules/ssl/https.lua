-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# HTTPS client

`socket.http` over TLS, with the names of LuaSec's `ssl.https`. Redirections are followed to https only.

```
local https = require "ssl.https"
local body, code = https.request("https://127.0.0.1:8443/")
if not body then print("no answer", code) end
```

## Functions

`request(url[, body])` and `request(table)` are those of `socket.http`; the table may have the parameters of
`ssl.newcontext` too, such as `cafile`, `certificate`, `key`, `protocol` and `verify`. `proxy` and `create` cannot be
given.

The server's certificate must be good for the host of the URL, by the system's authorities or those of `cafile`. This
differs from LuaSec, which checks nothing; `verify = "none"` brings that back.

`tcp([parameters])` is a function that makes sockets which speak TLS once they are connected, for `create` in other
modules.

## Settings

`TIMEOUT` (60) is the longest wait in seconds, `PORT` (443) the port if none is given, `cfg` the parameters that a request
does not give.
--]]

local http   = require "socket.http"
local socket = require "socket"
local ssl    = require "ssl"
local url    = require "socket.url"

local ipairs, pairs, setmetatable, type = ipairs, pairs, setmetatable, type

local M = { _VERSION = "0.9", PORT = 443, TIMEOUT = 60 }

M.cfg = { protocol = "any", options = { "all", "no_sslv2", "no_sslv3" }, verify = "peer" }

local PARAMETERS = { "protocol", "options", "verify", "key", "certificate", "cafile", "capath", "ciphers",
    "ciphersuites", "alpn" }

-- A socket whose methods are those of the connection it has become.
local function connection(context)
    local self = { sock = socket.try(socket.tcp()) }

    function self.connect(_, host, port)
        local ok, err = self.sock:connect(host, port)
        if not ok then return nil, err end
        local plain = self.sock
        self.sock, err = ssl.wrap(plain, context)
        if not self.sock then
            self.sock = plain
            return nil, err
        end
        self.sock:sni(host)
        ok, err = self.sock:dohandshake()
        if not ok then return nil, err end
        return 1
    end

    function self.settimeout(_, ...)
        return self.sock:settimeout(...)
    end

    return setmetatable(self, { __index = function(_, name)
        return function(_, ...)
            return self.sock[name](self.sock, ...)
        end
    end })
end

function M.tcp(given)
    local params = { mode = "client" }
    for _, name in ipairs(PARAMETERS) do
        params[name] = M.cfg[name]
        if given and given[name] ~= nil then params[name] = given[name] end
    end
    local context = socket.try(ssl.newcontext(params))
    return function()
        return connection(context)
    end
end

function M.request(request, body)
    local parts
    if type(request) ~= "table" then
        if type(request) ~= "string" then return nil, "invalid url" end
        parts = {}
        local address = request
        request = { url = address, sink = require "ltn12".sink.table(parts) }
        if body then
            request.method, request.source = "POST", require "ltn12".source.string(body)
            request.headers = { ["content-length"] = #body, ["content-type"] = "application/x-www-form-urlencoded" }
        end
    end
    if http.PROXY or request.proxy then return nil, "proxy not supported" end
    if request.create then return nil, "create function not permitted" end
    local secure = {}
    for key, value in pairs(request) do secure[key] = value end
    secure.tls = request
    if request.url then
        local parsed, err = url.parse(request.url, { scheme = "https", port = M.PORT })
        if not parsed then return nil, err end
        if parsed.scheme == "http" then parsed.scheme, parsed.port = "https", parsed.port or M.PORT end
        secure.url = url.build(parsed)
    else
        secure.scheme, secure.port = "https", request.port or M.PORT
    end
    local timeout = http.TIMEOUT
    http.TIMEOUT = M.TIMEOUT
    local ok, code, headers, status = http.request(secure)
    http.TIMEOUT = timeout
    if ok and parts then ok = require "table".concat(parts) end
    return ok, code, headers, status
end

return M
