-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# UDP input: every datagram is one record

Listens on a UDP port, or on a Unix datagram socket, and hands every datagram to a decoder.

## Sample configuration

```lua
filename          = "udp.lua"
instruction_limit = 0               -- it never returns
address           = "127.0.0.1"
port              = 1514            -- 0 with an address that begins with "/": a Unix datagram socket
decoder_module    = "decoders.syslog"
-- receive_buffer = 4194304         -- bytes the kernel may hold for us; datagrams beyond it are lost by the network
-- remote_field = "remote"          -- name of the Field with the sender's address; false for none
-- decoder_module, default_headers, send_decode_failures: see modules/decoding.lua
```

UDP promises nothing: what the kernel drops before it is read is gone. Use TCP where every record counts.
--]]

require "string"
local socket = require "socket"
local decode = require "decoding".new()

local address        = read_config("address") or "127.0.0.1"
local port           = read_config("port") or 1514
local receive_buffer = read_config("receive_buffer") or 4194304
local remote_field   = read_config("remote_field")
if remote_field == nil then remote_field = "remote" end

local server
if string.sub(address, 1, 1) == "/" then
    server = assert(require "socket.unix".udp())
    assert(server:bind(address))
    remote_field = false
else
    server = assert(socket.udp())
    assert(server:setsockname(address, port))
end
-- The kernel may give less; then bursts are lost sooner.
server:setoption("recv-buffer-size", receive_buffer)
server:settimeout(1)

local headers = { Fields = {} }

local function receive()
    if not remote_field then
        local data, err = server:receive()
        return data, err
    end
    local data, err = server:receivefrom()
    if data then headers.Fields[remote_field] = err end
    return data, err
end

function process_message()
    while is_running() do
        local data, err = receive()
        if data then
            local ok, why = decode(data, remote_field and headers or nil)
            if not ok then print("datagram not decoded", why) end
        elseif err ~= "timeout" then
            print("receive failed", err)
            socket.sleep(0.1)
        end
    end
    return 0
end
