-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Encoding: from a message to the bytes an output plugin writes

Every output plugin that writes bytes uses this module, so all of them understand `encoder_module`. An encoder is a
module with `encode()`, which returns the bytes of the current message (a string or a zero-copy reader), or nil for a
message to leave out.

## Functions

`encode, frames = encoding.new(default)` returns the function and what ends a record in a file: "lines" or "heka" where
that is known of the encoder, or "none".
--]]

local read_config = read_config
local require, error, type = require, error, type

-- How the records of our encoders end, so that one that a crash tore apart is found.
local FRAMES = {
    ["encoders.elasticsearch.mozlog"]  = "lines",
    ["encoders.elasticsearch.payload"] = "lines",
    ["encoders.heka.framed_protobuf"]  = "heka",
    ["encoders.json"]                  = "lines",
    ["encoders.lines"]                 = "lines",
}

local M = {}
setfenv(1, M)

function new(default)
    local name = read_config("encoder_module") or default
    if type(name) ~= "string" then error("encoder_module must be the name of a module") end
    local encoder = require(name)
    if type(encoder) ~= "table" or type(encoder.encode) ~= "function" then
        error("encoder_module: " .. name .. " has no function encode")
    end
    return encoder.encode, FRAMES[name] or "none"
end

return M
