-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# JSON lines: the loop of the decoders that take one JSON object from each line

## Functions

`decoder(cfg, inject)` returns a function `decode(data, default_headers)`. It calls `inject(object, default_headers)` for each line
of `data` that is a JSON object. What raises there becomes a message of Type "error" whose Payload is the reason and whose
Fields.data is the line; so does a line that is none, with `cfg.keep_others`, and otherwise it is left out.
--]]

local cjson  = require "cjson"
local string = require "string"

local find, gmatch = string.find, string.gmatch
local inject_message = inject_message
local pcall, type = pcall, type

local logger = read_config("Logger")

local M = {}
setfenv(1, M)

local function inject_error(reason, line)
    pcall(inject_message, { Logger = logger, Type = "error", Payload = reason, Fields = { data = line } })
end

function decoder(cfg, inject)
    return function(data, default_headers)
        for line in gmatch(data, "[^\n]+") do
            local ok, object = pcall(cjson.decode, line)
            if ok and type(object) == "table" then
                local injected, reason = pcall(inject, object, default_headers)
                if not injected then inject_error(reason, line) end
            elseif cfg.keep_others and find(line, "%S") then
                inject_error(ok and "not a JSON object" or object, line)
            end
        end
    end
end

return M
