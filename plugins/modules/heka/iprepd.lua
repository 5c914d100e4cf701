-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Reputation of addresses: tells an iprepd service about violations

Injects messages of Type "iprepd", which an output delivers to the service.

## Functions

`send(violations)` injects one message with all of `violations`, an array of tables with the keys `ip` and `violation` (and what else the
service takes), as JSON in the Field `violations`. It returns whether it did: not for anything else, an empty array, or where one of them
lacks a key.
--]]

local encode_json = require "cjson".encode

local inject_message = inject_message
local next, pairs, type = next, pairs, type

local M = {}
setfenv(1, M)

function send(violations)
    if type(violations) ~= "table" or next(violations) == nil then return false end
    for _, violation in pairs(violations) do
        if type(violation) ~= "table" or not violation.ip or not violation.violation then return false end
    end
    inject_message { Type = "iprepd", Fields = { { name = "violations", value = encode_json(violations) } } }
    return true
end

return M
