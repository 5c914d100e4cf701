-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Decoding: from the bytes an input plugin got to messages

Every input plugin that gets bytes uses this module, so all of them understand the same configuration:

```lua
decoder_module      = "decoders.syslog"   -- default "decoders.lines": the bytes become the Payload
default_headers     = { Type = "syslog" } -- optional: headers and Fields of every message
send_decode_failures = true               -- optional: what cannot be decoded becomes a message of its own
```

A decoder is a module with `decode(data, default_headers, mutable)`. It injects what it found and returns nil, or
returns an error text and injects nothing. `mutable` says that it may change `default_headers` for this call.

## Functions

`decode, fail = decoding.new()` reads the configuration once. `decode(data, headers)` decodes one record; `headers`, if
given, are added to the default headers for this record (an input adds where the bytes came from). It returns
true, or false and the error text. With `send_decode_failures` a failure is also injected:

    Type = "error.decode", Payload = the error text, Fields.data = the original bytes

What is too long for one message becomes several, numbered by Fields.part. `fail(data, err, headers)` does the same for
bytes that are no whole record, such as one that is too long.
--]]

local math   = require "math"
local string = require "string"

local inject_message = inject_message
local read_config    = read_config
local require, pairs, type, error, assert, pcall, tostring =
      require, pairs, type, error, assert, pcall, tostring
local floor, max, sub = math.floor, math.max, string.sub

local M = {}
setfenv(1, M)

local function copy(from, to)
    for k, v in pairs(from) do
        if k == "Fields" and type(v) == "table" then
            to.Fields = to.Fields or {}
            copy(v, to.Fields)
        else
            to[k] = v
        end
    end
    return to
end

-- Bytes that a failure's headers and error text may take of a message.
local RESERVED = 8192
-- Pieces are not made smaller than this, whatever the limits of the plugin are.
local PIECE_MIN = 256

-- How many bytes of data fit into one message.
local function piece_size()
    local size = read_config("max_message_size") or 65536
    local output_limit = read_config("output_limit") or 65536
    if output_limit > 0 and output_limit < size then size = output_limit end
    if size > 2 * RESERVED then return size - RESERVED end
    return size / 2 > PIECE_MIN and floor(size / 2) or PIECE_MIN
end

local function inject_failure(data, err, headers)
    local msg = copy(headers, {})
    msg.Type = "error.decode"
    msg.Payload = sub(err, 1, RESERVED / 4)
    msg.Fields = msg.Fields or {}
    local size = piece_size()
    for at = 1, max(#data, 1), size do
        msg.Fields.data = { value = sub(data, at, at + size - 1), value_type = 1 }
        if #data > size then msg.Fields.part = (at - 1) / size + 1 end
        inject_message(msg)
    end
end

function new()
    local name = read_config("decoder_module") or "decoders.lines"
    assert(type(name) == "string", "decoder_module must be the name of a module")
    local decoder = require(name)
    if type(decoder) ~= "table" or type(decoder.decode) ~= "function" then
        error(string.format("decoder_module: %s has no function decode", name))
    end
    local defaults = read_config("default_headers") or {}
    assert(type(defaults) == "table", "default_headers must be a table")
    local send_failures = read_config("send_decode_failures")
    local decode = decoder.decode

    local function fail(data, err, headers)
        if send_failures then inject_failure(data, tostring(err), copy(headers or {}, copy(defaults, {}))) end
        return false, err
    end

    local function decode_record(data, headers)
        local all, mutable = defaults, false
        if headers then
            all, mutable = copy(headers, copy(defaults, {})), true
        end
        local ok, err = pcall(decode, data, all, mutable)
        if ok and not err then return true end
        return fail(data, err, headers)
    end
    return decode_record, fail
end

return M
