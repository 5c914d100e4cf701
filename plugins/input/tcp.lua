-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# TCP input: lines from many clients at once

Listens on a TCP port; every line that a client sends goes to a decoder. One plugin serves all its clients.

Syslog over TCP comes in two framings and both are understood: lines, and a decimal count with a space before each
message (RFC 6587, octet counting). With `framing = "auto"` a record that begins with a count and a "<" is counted,
any other is a line.

## Sample configuration

```lua
filename          = "tcp.lua"
instruction_limit = 0                -- it never returns
address           = "127.0.0.1"
port              = 1514
decoder_module    = "decoders.syslog"
-- framing = "auto"         -- "auto", "lines" or "octets"
-- connections_max = 1024   -- further clients wait to be accepted
-- record_max = 65536       -- a client that sends a longer record is disconnected
-- idle_timeout = 0         -- seconds without data after which a client is disconnected; 0 never
-- ssl_params = {           -- TLS, see reference/ssl.md
--     mode        = "server",
--     key         = "/etc/foresight/server.key",
--     certificate = "/etc/foresight/server.pem",
--     cafile      = "/etc/foresight/ca.pem",
--     verify      = { "peer", "fail_if_no_peer_cert" }, -- clients need a certificate
-- }
-- remote_field = "remote"  -- name of the Field with the client's address; false for none
-- decoder_module, default_headers, send_decode_failures: see modules/decoding.lua
```
--]]

require "string"
local serve  = require "tcp_server".new(1514)
local decode = require "decoding".new()

local framing      = read_config("framing") or "auto"
local record_max   = read_config("record_max") or 65536
local remote_field = read_config("remote_field")
if remote_field == nil then remote_field = "remote" end
assert(framing == "auto" or framing == "lines" or framing == "octets", "framing must be auto, lines or octets")

local CHUNK = 65536
local byte, find, sub, match = string.byte, string.find, string.sub, string.match

local function hand_over(client, record)
    if record == "" then return end
    local ok, err = decode(record, client.headers)
    if not ok then print("record not decoded", client.remote, err) end
end

-- The next record of the buffer from `at`: its bytes, and where the next begins; nil when it is not complete,
-- false and a reason when it never can be.
local function next_record(buffer, at)
    if framing ~= "lines" then
        local digits, behind = match(buffer, "^(%d+) ()", at)
        if digits and (framing == "octets" or byte(buffer, behind) == 60) then -- "<"
            local length = tonumber(digits)
            if length > record_max then return false, "record longer than record_max" end
            if #buffer - behind + 1 < length then return nil end
            return sub(buffer, behind, behind + length - 1), behind + length
        end
        if framing == "octets" then
            -- The count itself may not have come as a whole.
            if match(buffer, "^%d?%d?%d?%d?%d?%d?%d?%d?%d?$", at) then return nil end
            return false, "no octet count"
        end
    end
    local stop = find(buffer, "\n", at, true)
    if stop then
        local last = stop - 1
        if last >= at and byte(buffer, last) == 13 then last = last - 1 end
        return sub(buffer, at, last), stop + 1
    end
    if #buffer - at + 1 > record_max then return false, "record longer than record_max" end
end

local on = {}

function on.opened(client)
    client.buffer = ""
    if remote_field then client.headers = { Fields = { [remote_field] = client.remote } } end
end

function on.wanted()
    return CHUNK
end

function on.received(client, data)
    client.buffer = client.buffer .. data
    local at = 1
    while is_running() do
        local record, next_at = next_record(client.buffer, at)
        if record == false then return next_at end
        if not record then break end
        hand_over(client, record)
        at = next_at
    end
    client.buffer = sub(client.buffer, at)
end

function on.closed(client)
    hand_over(client, client.buffer) -- a last line without its end
end

function process_message()
    serve(on)
    return 0
end
