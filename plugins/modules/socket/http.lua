-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# HTTP client

The names are those of LuaSocket's `socket.http`.

```
local http, ltn12 = require "socket.http", require "ltn12"
local body, code = http.request("http://127.0.0.1:8080/")
local parts = {}
local ok, code, headers, status = http.request {
    url     = "http://127.0.0.1:8080/items",
    method  = "POST",
    headers = { ["content-length"] = 4, ["content-type"] = "text/plain" },
    source  = ltn12.source.string("text"),
    sink    = ltn12.sink.table(parts),
}
```

## Functions

`request(url[, body])` gets a URL, or posts the body to it: the response's body, its code, its headers (names in lower
case) and its status line; or nil and the reason. The body is held in memory; use a sink for a large one.

`request(table)` is the general form; the first result is 1 instead of the body. Keys of the table:

| key | |
|---|---|
| `url` | the URL; or its parts `scheme`, `host`, `port`, `path`, `params`, `query`, `user`, `password` |
| `method` | "GET" if none is given |
| `headers` | of the request, a table |
| `source` | the request's body, an LTN12 source; with a "content-length" header, otherwise it is sent in chunks |
| `sink` | takes the response's body, an LTN12 sink; without one it is thrown away |
| `step` | moves one piece of a body, as `ltn12.pump.step` |
| `proxy` | the URL of a proxy, or false for none |
| `redirect` | false: a redirection is given back as it is |
| `maxredirects` | how many are followed: 5, or this many, or false for none |
| `create` | a function that makes the socket |

A redirection is followed for GET and HEAD only, never from https to http, and at another host without the request's
authorization and cookies.

`open(host[, port[, create] ])` is a connection on which the parts of a conversation can be said one by one:
`sendrequestline(method, uri)`, `sendheaders(headers)`, `sendbody(headers, source[, step])`, `receivestatusline()`,
`receiveheaders()`, `receivebody(headers, sink[, step])`, `receive09body(status, sink[, step])`, `close()`. These raise
errors for `socket.protect`; `c` is the socket.

## Settings

`TIMEOUT` (60) is the longest wait in seconds, also for all headers of a response together, `USERAGENT` what the client
calls itself, `PORT` (80) the port if none is given, `PROXY` the URL of a proxy for all requests, `SCHEMES` what can be
asked: for each scheme its `port` and `create`.

## Limits

A line of a response has at most 8192 bytes, its headers at most 200 lines and 256 KiB; a response that goes beyond
fails. A body ends where its length or its chunks say so; one that breaks off before is a failure. No limit is set to its
size, save that of the plugin's memory in the simple form.
--]]

local headers = require "socket.headers"
local ltn12   = require "ltn12"
local mime    = require "mime.core"
local socket  = require "socket"
local string  = require "string"
local table   = require "table"
local url     = require "socket.url"

local error, pairs, require, setmetatable, tonumber, tostring, type =
    error, pairs, require, setmetatable, tonumber, tostring, type
local find, format, lower, match, sub = string.find, string.format, string.lower, string.match, string.sub
local concat = table.concat
local gettime = socket.gettime

local LINE_MAX      = "*l 8192"
local LINES_MAX     = 200
local HEADERS_MAX   = 256 * 1024
-- Answers such as "100 Continue" before the real one.
local CONTINUES_MAX = 16
-- A piece of a body.
local BLOCK         = 16384

local M = { TIMEOUT = 60, PORT = 80, USERAGENT = socket._VERSION }

M.SCHEMES = {
    http  = { port = 80, create = function() return socket.tcp end },
    https = { port = 443, create = function(request) return require "ssl.https".tcp(request.tls or request) end },
}

-- ---- Bodies ----

-- The next line of headers, or nil and the reason.
local function receive_line(c)
    local line, err = c:receive(LINE_MAX)
    if err == "too long" then err = "header line too long" end
    return line, err
end

-- Reads headers up to the empty line into a table; names in lower case, several of a name joined by ", ".
local function receive_headers(c, found)
    local started, size, count = gettime(), 0, 0
    local name, value
    local function keep()
        if name then found[name] = found[name] and found[name] .. ", " .. value or value end
    end
    while true do
        local line, err = receive_line(c)
        if err then return nil, err end
        if line == "" then
            keep()
            return found
        end
        size, count = size + #line, count + 1
        if count > LINES_MAX or size > HEADERS_MAX then return nil, "too many headers" end
        if gettime() - started > M.TIMEOUT then return nil, "timeout" end
        if find(line, "^%s") then
            if not name then return nil, "malformed reponse headers" end
            value = value .. " " .. match(line, "^%s*(.-)%s*$")
        else
            keep()
            name, value = match(line, "^([^%s:]+):%s*(.-)%s*$")
            if not name then return nil, "malformed reponse headers" end
            name = lower(name)
        end
    end
end

-- A source of what a chunked body holds; the headers behind it are added to the others.
local function chunked_source(c, found)
    local left, ended = 0, false
    return function()
        if ended then return nil end
        if left == 0 then
            local line, err = receive_line(c)
            if err then return nil, err end
            local digits = match(line, "^(%x+)%s*$") or match(line, "^(%x+)%s*;")
            if not digits or #digits > 12 then return nil, "invalid chunk size" end
            left = tonumber(digits, 16)
            if left == 0 then
                ended = true
                local _, why = receive_headers(c, found)
                return nil, why
            end
        end
        local chunk, err = c:receive(left < BLOCK and left or BLOCK)
        if err then return nil, err end
        left = left - #chunk
        if left == 0 then
            local line, why = receive_line(c)
            if why then return nil, why end
            if line ~= "" then return nil, "invalid chunk end" end
        end
        return chunk
    end
end

-- A sink that sends chunks.
local function chunked_sink(c)
    return function(chunk)
        if not chunk then return c:send("0\r\n\r\n") end
        if chunk == "" then return 1 end
        return c:send(format("%X\r\n", #chunk) .. chunk .. "\r\n")
    end
end

-- ---- One connection ----

local methods = {}

function methods:sendrequestline(method, uri)
    local line = format("%s %s HTTP/1.1\r\n", method or "GET", uri)
    if find(line, "[\r\n].") ~= #line - 1 then self.try(nil, "line break in a request line") end
    return self.try(self.c:send(line))
end

function methods:sendheaders(to_send)
    local lines = {}
    for name, value in pairs(to_send) do
        name, value = headers.canonic[lower(tostring(name))], tostring(value)
        if find(name, "[%s:]") or find(value, "[\r\n]") then self.try(nil, "invalid header '" .. name .. "'") end
        lines[#lines + 1] = name .. ": " .. value .. "\r\n"
    end
    lines[#lines + 1] = "\r\n"
    self.try(self.c:send(concat(lines)))
    return 1
end

function methods:sendbody(sent, source, step)
    local sink = sent["content-length"] and socket.sink("keep-open", self.c) or chunked_sink(self.c)
    return self.try(ltn12.pump.all(source or ltn12.source.empty(), sink, step or ltn12.pump.step))
end

-- The code and the status line; nil and the first bytes of a response without one, as HTTP/0.9 has it.
function methods:receivestatusline()
    local start = self.try(self.c:receive(5))
    if start ~= "HTTP/" then return nil, start end
    local status = start .. self.try(receive_line(self.c))
    local code = match(status, "^HTTP/%d+%.?%d* (%d%d%d)")
    return self.try(tonumber(code), not code and "invalid status line" or status)
end

function methods:receiveheaders()
    return self.try(receive_headers(self.c, {}))
end

function methods:receivebody(found, sink, step)
    sink = sink or ltn12.sink.null()
    step = step or ltn12.pump.step
    local source
    local coding = found["transfer-encoding"]
    local length = found["content-length"]
    if coding and lower(coding) ~= "identity" then
        source = chunked_source(self.c, found)
    elseif length then
        -- The same length said twice is one.
        local digits = match(length, "^(%d+)$") or match(length, "^(%d+), %1$")
        if not digits or #digits > 15 then self.try(nil, "invalid content-length") end
        source = socket.source("by-length", self.c, tonumber(digits))
    else
        source = socket.source("until-closed", self.c)
    end
    return self.try(ltn12.pump.all(source, sink, step))
end

function methods:receive09body(status, sink, step)
    local source = ltn12.source.rewind(socket.source("until-closed", self.c))
    source(status)
    return self.try(ltn12.pump.all(source, sink or ltn12.sink.null(), step or ltn12.pump.step))
end

function methods:close()
    return self.c:close()
end

function M.open(host, port, create)
    local c = socket.try((create or socket.tcp)())
    local h = setmetatable({ c = c }, { __index = methods })
    h.try = socket.newtry(function() h:close() end)
    h.try(c:settimeout(M.TIMEOUT))
    h.try(c:connect(host, port or M.PORT))
    return h
end

-- ---- Requests ----

-- Nil where everybody knows the port.
local function port_of(request)
    if tonumber(request.port) ~= M.SCHEMES[request.scheme].port then return request.port end
end

local function uri_of(request)
    local parts = { path = request.path, params = request.params, query = request.query }
    if request.proxy_used then parts.scheme, parts.host, parts.port = request.scheme, request.host, port_of(request) end
    return url.build(parts)
end

local function headers_of(request)
    local host = request.host
    if find(host, ":", 1, true) then host = "[" .. host .. "]" end
    if port_of(request) then host = host .. ":" .. request.port end
    local sent = { ["user-agent"] = M.USERAGENT, host = host, connection = "close, TE", te = "trailers" }
    if request.user and request.password then
        local secret = url.unescape(request.user) .. ":" .. url.unescape(request.password)
        sent.authorization = "Basic " .. (mime.b64(secret) or "")
    end
    for name, value in pairs(request.headers or {}) do sent[lower(name)] = value end
    return sent
end

local function use_proxy(request)
    local proxy = request.proxy
    if proxy == nil then proxy = M.PROXY end
    if not proxy then return request.host, request.port end
    if request.scheme == "https" then socket.try(nil, "a proxy cannot be used for https") end
    local parsed = socket.try(url.parse(proxy, { port = 3128 }))
    if parsed.user and parsed.password and not request.sent["proxy-authorization"] then
        local secret = url.unescape(parsed.user) .. ":" .. url.unescape(parsed.password)
        request.sent["proxy-authorization"] = "Basic " .. mime.b64(secret)
    end
    request.proxy_used = true
    return parsed.host, parsed.port
end

-- A request with all its parts, made of what the plugin gave.
local function complete(given)
    local request = {}
    if given.url then
        request = socket.try(url.parse(given.url, { path = "/", scheme = "http" }))
    end
    for key, value in pairs(given) do request[key] = value end
    request.scheme = lower(request.scheme or "http")
    local scheme = M.SCHEMES[request.scheme]
    if not scheme then socket.try(nil, "unknown scheme '" .. request.scheme .. "'") end
    if not request.host or request.host == "" then
        socket.try(nil, "invalid host '" .. tostring(request.host) .. "'")
    end
    if not request.path or request.path == "" then request.path = "/" end
    if not request.port or request.port == "" then
        request.port = request.scheme == "http" and M.PORT or scheme.port
    end
    request.create = request.create or scheme.create(request)
    request.sent = headers_of(request)
    return request
end

local function is_redirected(request, code, found)
    local location = match(found.location or "", "^%s*(.-)%s*$")
    if location == "" or request.redirect == false then return nil end
    if code ~= 301 and code ~= 302 and code ~= 303 and code ~= 307 and code ~= 308 then return nil end
    if request.method and request.method ~= "GET" and request.method ~= "HEAD" then return nil end
    local scheme = match(location, "^(%a[%w%+%-%.]*):")
    scheme = scheme and lower(scheme) or request.scheme
    if not M.SCHEMES[scheme] or (request.scheme == "https" and scheme ~= "https") then return nil end
    local limit = request.maxredirects
    if limit == nil then limit = 5 end
    if not limit or (request.nredirects or 0) >= limit then return nil end
    return location
end

local send_request

local function follow(request, location)
    local here = { scheme = request.scheme, host = request.host, path = request.path, params = request.params,
        query = request.query, port = port_of(request) }
    local target = url.absolute(here, location)
    local parsed = url.parse(target) or {}
    local kept = request.headers
    if parsed.host ~= request.host or parsed.port ~= here.port then
        kept = {}
        for name, value in pairs(request.headers or {}) do
            local small = lower(name)
            if small ~= "authorization" and small ~= "cookie" and small ~= "host" then kept[name] = value end
        end
    end
    local create = request.given_create
    local ok, code, found, status = send_request {
        url = target, method = request.method, source = request.source, sink = request.sink, step = request.step,
        headers = kept, proxy = request.proxy, create = create, maxredirects = request.maxredirects,
        nredirects = (request.nredirects or 0) + 1, tls = request.tls,
    }
    if found then found.location = found.location or location end
    return ok, code, found, status
end

local function has_body(request, code)
    return request.method ~= "HEAD" and code ~= 204 and code ~= 304 and not (code >= 100 and code < 200)
end

-- Raises what `socket.protect` knows.
function send_request(given)
    local request = complete(given)
    request.given_create = given.create
    local host, port = use_proxy(request)
    local h = M.open(host, tonumber(port) or port, request.create)
    h:sendrequestline(request.method, uri_of(request))
    -- A body without a length goes in chunks.
    if request.source and not request.sent["content-length"] then request.sent["transfer-encoding"] = "chunked" end
    h:sendheaders(request.sent)
    if request.source then h:sendbody(request.sent, request.source, request.step) end
    local code, status = h:receivestatusline()
    if not code then
        h:receive09body(status, request.sink, request.step)
        h:close()
        return 1, 200
    end
    local found
    for _ = 1, CONTINUES_MAX do
        if code ~= 100 then break end
        h:receiveheaders()
        code, status = h:receivestatusline()
    end
    if not code then h.try(nil, "invalid status line") end
    found = h:receiveheaders()
    local location = is_redirected(request, code, found)
    -- A source is used up; it cannot be sent twice.
    if location and not request.source then
        h:close()
        return follow(request, location)
    end
    if has_body(request, code) then h:receivebody(found, request.sink, request.step) end
    h:close()
    return 1, code, found, status
end

local function send_simple(address, body)
    local parts = {}
    local request = { url = address, sink = ltn12.sink.table(parts) }
    if body then
        request.source = ltn12.source.string(body)
        request.headers = { ["content-length"] = #body, ["content-type"] = "application/x-www-form-urlencoded" }
        request.method = "POST"
    end
    local _, code, found, status = send_request(request)
    return concat(parts), code, found, status
end

M.request = socket.protect(function(request, body)
    if type(request) == "string" then return send_simple(request, body) end
    if type(request) ~= "table" then error("url or table expected, got " .. type(request), 2) end
    return send_request(request)
end)

-- Plugins reach it by either name.
socket.http = M

return M
