-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Heka TCP output: framed Heka messages to another engine

Sends every message to the input `heka_tcp.lua` of this or of another engine. Where the other end cannot be reached
the message is tried again, so nothing is lost while this engine keeps it; TCP itself has no acknowledgement, so what
the kernel had taken when the connection broke may be lost on the way.

## Sample configuration

```lua
filename        = "heka_tcp.lua"
message_matcher = "TRUE"
address         = "127.0.0.1"
port            = 5565
-- timeout = 10      -- seconds for connecting and for sending one message
-- ssl_params = {    -- TLS, see reference/ssl.md; the certificate must be for the address
--     mode   = "client",
--     cafile = "/etc/foresight/ca.pem", -- the system's authorities if it is missing
--     verify = "peer",
-- }
-- retry_delay_ms, retry_max_attempts: the engine's waits between two attempts
```
--]]

local socket = require "socket"

local address = read_config("address") or "127.0.0.1"
local port    = read_config("port") or 5565
local timeout = read_config("timeout") or 10

local ssl, context
local ssl_params = read_config("ssl_params")
if ssl_params then
    ssl     = require "ssl"
    context = assert(ssl.newcontext(ssl_params))
end

local framed = read_message("framed", nil, nil, true)
local client

local function connect()
    local s = assert(socket.tcp())
    s:settimeout(timeout)
    local ok, err = s:connect(address, port)
    if not ok then
        s:close()
        return err
    end
    s:setoption("tcp-nodelay", true)
    if context then
        s = assert(ssl.wrap(s, context))
        s:sni(address)
        ok, err = s:dohandshake()
        if not ok then
            s:close()
            return "TLS: " .. err
        end
    end
    client = s
end

local function disconnect()
    if client then client:close() end
    client = nil
end

-- Whether the other end has gone, which a send would notice only one message too late.
local function is_closed()
    client:settimeout(0)
    local _, err = client:receive(1)
    client:settimeout(timeout)
    return err == "closed"
end

local checked = 0

function process_message()
    local now = socket.gettime()
    if client and now - checked > 0.1 then
        checked = now
        if is_closed() then disconnect() end
    end
    if not client then
        local err = connect()
        if err then return -3, "connecting: " .. err end
    end
    local ok, err = client:send(tostring(framed))
    if not ok then
        -- The other end skips what it got of a message whose rest comes never.
        disconnect()
        return -3, "sending: " .. err
    end
    return 0
end

function timer_event(ns, shutdown)
    if shutdown then disconnect() end
end
