-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Errors of the loader: decodes each to the raw submission that it was

Used by `output/reprocess_errors.lua`, and in `input/heka_store.lua` for errors in files.

## Configuration

```lua
decoder_module  = "decoders.moz_ingest.errors"
-- set_type      = "telemetry-raw"  -- the Type of what is injected; without: the one that it had
-- error_types   = { json = true }  -- only errors of these DecodeErrorType; without: all
-- attempts_max  = 1                -- how often a submission is sent again at most
```

## Functions

`restore(message)` takes a table as `decode_message` makes it, and returns the raw message; or nil and why there is none.

`decode(data)` injects the raw message of an encoded error; what shall not be sent again is left out. It returns an error text
where `data` is no error of the loader.
--]]

local miu = require "moz_ingest.util"

local decode_message = decode_message
local inject_message = inject_message
local read_config    = read_config
local assert, ipairs, type = assert, ipairs, type

local M = {}
setfenv(1, M)

local set_type     = read_config("set_type")
local error_types  = read_config("error_types")
local attempts_max = read_config("attempts_max") or 1
assert(error_types == nil or type(error_types) == "table", "error_types must be a table")
assert(type(attempts_max) == "number", "attempts_max must be a number")

local LEFT_ALONE = "not to be sent again"

local function is_wanted(message)
    if not error_types then return true end
    for _, field in ipairs(message.Fields or {}) do
        if field.name == "DecodeErrorType" then return error_types[field.value[1]] == true end
    end
    return true -- no error of the loader, as restoring it will tell
end

function restore(message)
    if not is_wanted(message) then return nil, LEFT_ALONE end
    local raw, attempts = miu.restore_raw(message)
    if not raw then return nil, attempts end
    if attempts >= attempts_max then return nil, LEFT_ALONE end
    raw.Type = set_type or raw.Type
    if not raw.Type then return nil, "the error does not tell its raw Type: set_type is needed" end
    return raw
end

function decode(data)
    local raw, reason = restore(decode_message(data))
    if raw then
        inject_message(raw)
    elseif reason ~= LEFT_ALONE then
        return reason
    end
end

return M
