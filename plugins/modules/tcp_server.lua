-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# TCP server: many clients of one input plugin

Listens on a port and tells the plugin what its clients do, until the plugin has to end. It understands these keys of
the plugin's configuration:

```lua
address         = "127.0.0.1"
port            = 1514
connections_max = 1024   -- further clients wait to be accepted, as do those beyond the plugin's descriptor_limit
idle_timeout    = 0      -- seconds without data after which a client is disconnected; 0 never
ssl_params      = nil    -- TLS: a table as `ssl.newcontext` takes it, with mode = "server"
```

With TLS a client is announced once it has shaken hands, for which it has 30 seconds.

## Functions

`server = tcp_server.new(default_port[, others])` listens, unless `default_port` is nil. `others` are further sockets to
wait for, each with the function that is called with it when it can be read. `server(on)` serves; `on` is a table of
functions:

| function | when |
|---|---|
| `opened(client)` | a client was accepted; `client.remote` is its address, other keys are the plugin's own |
| `wanted(client)` | how many bytes to receive at most |
| `received(client, data)` | bytes came; a text that is returned disconnects the client and says why |
| `closed(client)` | the client has closed its side, or the plugin has to end |
| `tick()` | about once a second, or more often; may be absent |
--]]

local table  = require "table"
local socket = require "socket"

local remove_at = table.remove
local is_running, print, read_config = is_running, print, read_config
local assert, ipairs, pairs, pcall = assert, ipairs, pairs, pcall

-- Seconds that a client may take to shake hands.
local HANDSHAKE_MAX = 30
-- Pieces that are read from one client at the end.
local DRAIN_MAX = 64

local M = {}

-- TLS for this plugin, if it is configured.
local ssl, context
local ssl_params = read_config("ssl_params")
if ssl_params then
    ssl     = require "ssl"
    context = assert(ssl.newcontext(ssl_params))
end

setfenv(1, M)

function new(default_port, others)
    others = others or {}
    local connections_max = read_config("connections_max") or 1024
    local idle_timeout    = read_config("idle_timeout") or 0

    -- Those we wait for. The server is left out while there is no room for another client.
    local sockets, clients, n_clients = {}, {}, 0
    local server
    if default_port then
        server = assert(socket.bind(read_config("address") or "127.0.0.1", read_config("port") or default_port))
        server:settimeout(0)
        sockets[1] = server
    end
    for other in pairs(others) do sockets[#sockets + 1] = other end
    local is_full = false

    local function remove(wanted)
        for i = #sockets, 1, -1 do
            if sockets[i] == wanted then remove_at(sockets, i) end
        end
    end

    local function drop(client, why)
        if why then print("client disconnected", client.remote, why) end
        remove(client.socket)
        clients[client.socket] = nil
        client.socket:close()
        n_clients = n_clients - 1
        if is_full then
            is_full = false
            sockets[#sockets + 1] = server
        end
    end

    local function accept(on)
        while true do
            local ok, s = true, nil
            if n_clients < connections_max then ok, s = pcall(server.accept, server) end
            if n_clients >= connections_max or not ok then
                if not ok then
                    print("clients have to wait", s)
                    assert(n_clients > 0, s)
                end
                is_full = true
                remove(server)
                return
            end
            if not s then return end
            s:settimeout(0)
            local client = { remote = s:getpeername() or "?", last = socket.gettime() }
            if context then
                s = assert(ssl.wrap(s, context))
                client.shaking = client.last
            else
                on.opened(client)
            end
            client.socket = s
            clients[s] = client
            n_clients = n_clients + 1
            sockets[#sockets + 1] = s
        end
    end

    -- Whether the client may send: after the handshake, with which this goes on.
    local function is_ready(on, client)
        if not client.shaking then return true end
        local ok, err = client.socket:dohandshake()
        if ok then
            client.shaking = nil
            on.opened(client)
            return client.socket:dirty()
        end
        if err ~= "wantread" and err ~= "wantwrite" then drop(client, "TLS: " .. err) end
        return false
    end

    -- Whether bytes came.
    local function read(on, client)
        local data, err, partial = client.socket:receive(on.wanted(client))
        data = data or partial
        if data and #data > 0 then
            client.last = socket.gettime()
            local why = on.received(client, data)
            if why then
                drop(client, why)
                return
            end
        end
        if err == "closed" then
            on.closed(client)
            drop(client)
        elseif err and err ~= "timeout" and err ~= "wantread" then
            drop(client, err)
        end
        return data and #data > 0
    end

    -- Reads what clients had sent when the plugin was told to end, also those that were not accepted yet.
    local function drain(on)
        if server and not is_full then accept(on) end
        local left = {}
        for _, client in pairs(clients) do left[#left + 1] = client end
        for _, client in ipairs(left) do
            local rounds = 0
            while not client.shaking and clients[client.socket] and rounds < DRAIN_MAX and read(on, client) do
                rounds = rounds + 1
            end
            if not client.shaking and clients[client.socket] then on.closed(client) end
        end
    end

    local function drop_idle()
        if idle_timeout <= 0 and not context then return end
        local now = socket.gettime()
        for _, client in pairs(clients) do
            if client.shaking and now - client.shaking > HANDSHAKE_MAX then
                drop(client, "TLS: no handshake")
            elseif idle_timeout > 0 and now - client.last > idle_timeout then
                drop(client, "idle")
            end
        end
    end

    return function(on)
        while is_running() do
            local ready = socket.select(sockets, nil, 1)
            for _, s in ipairs(ready or {}) do
                if s == server then
                    accept(on)
                elseif others[s] then
                    others[s](s)
                elseif clients[s] and is_ready(on, clients[s]) then
                    read(on, clients[s])
                end
            end
            drop_idle()
            if on.tick then on.tick() end
        end
        drain(on)
    end
end

return M
