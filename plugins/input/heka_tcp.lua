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
-- ssl_params = {           -- TLS, see reference/ssl.md
--     mode        = "server",
--     key         = "/etc/foresight/server.key",
--     certificate = "/etc/foresight/server.pem",
--     cafile      = "/etc/foresight/ca.pem",
--     verify      = { "peer", "fail_if_no_peer_cert" }, -- clients need a certificate
-- }
```
--]]

local serve = require "tcp_server".new(5565)

local on = {}

function on.opened(client)
    client.reader = create_stream_reader(client.remote)
    local _, _, need = client.reader:find_message(nil)
    client.need = need
end

-- Never more than the reader has room for.
function on.wanted(client)
    return client.need
end

function on.received(client, data)
    local found, _, need = client.reader:find_message(data)
    while found do
        inject_message(client.reader)
        found, _, need = client.reader:find_message(nil)
    end
    client.need = need
end

function on.closed()
end

function process_message()
    serve(on)
    return 0
end
