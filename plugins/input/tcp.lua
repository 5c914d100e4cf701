-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# TCP input: lines from many clients at once

Listens on a TCP port; every line that a client sends goes to a decoder. One plugin serves all its clients.

Syslog over TCP comes in two framings and both are understood: lines, and a decimal count with a space before each
message (RFC 6587, octet counting). With `framing = "auto"` a record that begins with a count and a "<" is counted,
any other is a line. With `send_decode_failures = true` nothing is lost of what cannot be decoded: neither records in
no known form, nor those that are too long, nor what a client sends without a count where one has to be.

## Sample configuration

```lua
filename          = "tcp.lua"
instruction_limit = 0                -- it never returns
address           = "127.0.0.1"
port              = 1514
decoder_module    = "decoders.syslog"
-- framing = "auto"         -- "auto", "lines" or "octets"
-- connections_max = 1024   -- further clients wait to be accepted
-- record_max = 65536       -- a longer record is a failure, kept in pieces
-- idle_timeout = 0         -- seconds without data after which a client is disconnected; 0 never
-- ssl_params = {           -- TLS, see reference/ssl.md
--     mode        = "server",
--     key         = "/etc/foresight/server.key",
--     certificate = "/etc/foresight/server.pem",
--     cafile      = "/etc/foresight/ca.pem",
--     verify      = { "peer", "fail_if_no_peer_cert" }, -- clients need a certificate
-- }
-- remote_field = "remote"  -- name of the Field with the client's address; false for none
-- send_decode_failures = true -- what cannot be decoded is kept
-- decoder_module, default_headers: see modules/decoding.lua
```
--]]

require "math"
require "string"
local serve  = require "tcp_server".new(1514)
local decode, fail = require "decoding".new()

local framing      = read_config("framing") or "auto"
local record_max   = read_config("record_max") or 65536
local remote_field = read_config("remote_field")
if remote_field == nil then remote_field = "remote" end
assert(framing == "auto" or framing == "lines" or framing == "octets", "framing must be auto, lines or octets")

local CHUNK = 65536
-- Longer counts are none.
local DIGITS_MAX = 9
local byte, find, sub, match = string.byte, string.find, string.sub, string.match

local function hand_over(client, record)
    if record == "" then return end
    local ok, err = decode(record, client.headers)
    if not ok then print("record not decoded", client.remote, err) end
end

local TOO_LONG = "record longer than record_max"

-- The next record of the buffer from `at`: its bytes, and where the next begins; nil when it is not complete; false and
-- where the next begins when it is too long, with the number of its bytes that are still to come or true for a line's.
local function next_record(buffer, at)
    if framing ~= "lines" then
        local digits, behind = match(buffer, "^(%d+) ()", at)
        if digits and #digits <= DIGITS_MAX and (framing == "octets" or byte(buffer, behind) == 60) then -- "<"
            local length = tonumber(digits)
            local have = #buffer - behind + 1
            if length > record_max then return false, behind, length end
            if have < length then return nil end
            return sub(buffer, behind, behind + length - 1), behind + length
        end
        if framing == "octets" then
            -- The count itself may not have come as a whole.
            if match(buffer, "^%d?%d?%d?%d?%d?%d?%d?%d?%d?$", at) then return nil end
            return false
        end
    end
    local stop = find(buffer, "\n", at, true)
    if stop and stop - at <= record_max then
        local last = stop - 1
        if last >= at and byte(buffer, last) == 13 then last = last - 1 end
        return sub(buffer, at, last), stop + 1
    end
    if stop or #buffer - at + 1 > record_max then return false, at, true end
end

-- Takes what has come of a record that is too long; the place behind it.
local function take_long(client, buffer, at)
    local last = #buffer
    if client.long == true then
        local stop = find(buffer, "\n", at, true)
        if stop then
            last, client.long = stop, nil
        end
    else
        last = math.min(last, at + client.long - 1)
        client.long = client.long - (last - at + 1)
        if client.long == 0 then client.long = nil end
    end
    if last >= at then fail(sub(buffer, at, last), TOO_LONG, client.headers) end
    return last + 1
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
    while true do
        if client.long then at = take_long(client, client.buffer, at) end
        if at > #client.buffer then break end
        local record, next_at, long = next_record(client.buffer, at)
        if record == nil then break end
        if record then
            hand_over(client, record)
        elseif long then
            print(TOO_LONG, client.remote)
            client.long = long
        else
            fail(sub(client.buffer, at), "no octet count", client.headers)
            return "no octet count"
        end
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
