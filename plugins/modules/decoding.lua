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

`decode = decoding.new()` reads the configuration once. `decode(data, headers)` decodes one record; `headers`, if
given, are added to the default headers for this record (an input adds where the bytes came from). It returns
true, or false and the error text. With `send_decode_failures` a failure is also injected:

    Type = "error.decode", Payload = the error text, Fields.data = the original bytes
--]]

local string = require "string"

local inject_message = inject_message
local read_config    = read_config
local require, pairs, type, error, assert, pcall =
      require, pairs, type, error, assert, pcall

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

local function inject_failure(data, err, headers)
    local msg = copy(headers, {})
    msg.Type = "error.decode"
    msg.Payload = err
    msg.Fields = msg.Fields or {}
    msg.Fields.data = { value = data, value_type = 1 }
    inject_message(msg)
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

    return function(data, headers)
        local all, mutable = defaults, false
        if headers then
            all, mutable = copy(headers, copy(defaults, {})), true
        end
        local ok, err = pcall(decode, data, all, mutable)
        if ok and not err then return true end
        if send_failures then inject_failure(data, err, all) end
        return false, err
    end
end

return M
