-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Heka TCP input: framed Heka messages from many clients at once

Listens on a TCP port; every message that a client sends is injected as it is. Bytes that are no message are
skipped. The counterpart is the output `heka_tcp.lua`, of this or of another engine.

## Sample configuration

```lua
filename          = "heka_tcp.lua"
instruction_limit = 0                -- it never returns
address           = "127.0.0.1"
port              = 5565
-- connections_max = 1024            -- further clients wait to be accepted
-- idle_timeout = 0                  -- seconds without data after which a client is disconnected; 0 never
```
--]]

require "string"
require "table"
local socket = require "socket"

local address         = read_config("address") or "127.0.0.1"
local port            = read_config("port") or 5565
local connections_max = read_config("connections_max") or 1024
local idle_timeout    = read_config("idle_timeout") or 0

local server = assert(socket.bind(address, port))
server:settimeout(0)
-- Those we wait for. The server is left out while there is no room for another client.
local sockets, clients, n_clients = { server }, {}, 0

local function remove(wanted)
    for i = #sockets, 1, -1 do
        if sockets[i] == wanted then table.remove(sockets, i) end
    end
end

local function drop(client, why)
    if why then print("client disconnected", client.remote, why) end
    remove(client.socket)
    clients[client.socket] = nil
    client.socket:close()
    if n_clients == connections_max then sockets[#sockets + 1] = server end
    n_clients = n_clients - 1
end

local function accept()
    while true do
        if n_clients >= connections_max then
            remove(server)
            return
        end
        local s = server:accept()
        if not s then return end
        s:settimeout(0)
        local remote = s:getpeername() or "?"
        local reader = create_stream_reader(remote)
        local _, _, need = reader:find_message(nil)
        clients[s] = { socket = s, remote = remote, reader = reader, need = need, last = socket.gettime() }
        n_clients = n_clients + 1
        sockets[#sockets + 1] = s
    end
end

-- Never receives more than the reader has room for.
local function read(client)
    local data, err, partial = client.socket:receive(client.need)
    data = data or partial
    if data and #data > 0 then
        client.last = socket.gettime()
        local found, _, need = client.reader:find_message(data)
        while found do
            inject_message(client.reader)
            found, _, need = client.reader:find_message(nil)
        end
        client.need = need
    end
    if err and err ~= "timeout" then drop(client, err ~= "closed" and err or nil) end
end

local function drop_idle()
    if idle_timeout <= 0 then return end
    local now = socket.gettime()
    for _, client in pairs(clients) do
        if now - client.last > idle_timeout then drop(client, "idle") end
    end
end

function process_message()
    while is_running() do
        local ready = socket.select(sockets, nil, 1)
        for _, s in ipairs(ready or {}) do
            if s == server then
                accept()
            elseif clients[s] then
                read(clients[s])
            end
        end
        drop_idle()
    end
    return 0
end
