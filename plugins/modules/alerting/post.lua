-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Posting alerts: a JSON document to a server, and what its answer means

## Functions

`json(request)` posts a table and returns true, or nil, the reason, and what to do: nil to try again, "refused" where
another attempt with the same body is of no use, or the seconds that the server wants to be left alone. Keys of
`request`: `url`, `body` (the JSON text), `headers`, `timeout` (seconds), `tls` (parameters of `ssl.newcontext`, such as
`cafile`). Reasons never name the URL, which may be a secret.
--]]

local http   = require "socket.http"
local https  = require "ssl.https"
local ltn12  = require "ltn12"
local string = require "string"

local pairs, tonumber, type = pairs, tonumber, type
local find, format, sub = string.find, string.format, string.sub

-- The longest time that a server may ask for, seconds.
local PAUSE_MAX = 3600
-- Bodies of answers are of no use to us; a longer one ends the request.
local ANSWER_MAX = 65536
local TIMEOUT = 10

-- What a server says of the request itself, whenever it comes.
local REFUSED = { [400] = true, [413] = true, [415] = true, [422] = true }

local M = {}
setfenv(1, M)

local function limited_sink()
    local left = ANSWER_MAX
    return function(chunk)
        if chunk then left = left - #chunk end
        if left < 0 then return nil, "the answer is too long" end
        return 1
    end
end

local function headers_of(request)
    local headers = { ["content-type"] = "application/json", ["content-length"] = #request.body,
        ["user-agent"] = "Foresight" }
    for name, value in pairs(request.headers or {}) do headers[name] = value end
    return headers
end

function json(request)
    if type(request.url) ~= "string" or not find(request.url, "^https?://") then
        return nil, "the url must begin with http:// or https://"
    end
    http.TIMEOUT = request.timeout or TIMEOUT
    https.TIMEOUT = http.TIMEOUT
    local ok, code, headers = http.request {
        url = request.url, method = "POST", headers = headers_of(request), source = ltn12.source.string(request.body),
        sink = limited_sink(), redirect = false, proxy = false, tls = request.tls or {},
    }
    if not ok then return nil, "no answer: " .. sub(type(code) == "string" and code or "unknown", 1, 200) end
    if code >= 200 and code < 300 then return true end
    local reason = format("the server answered %d", code)
    if REFUSED[code] then return nil, reason, "refused" end
    local pause = tonumber(headers and headers["retry-after"])
    if pause and pause > 0 then return nil, reason, pause < PAUSE_MAX and pause or PAUSE_MAX end
    return nil, reason
end

return M
