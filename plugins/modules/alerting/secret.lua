-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Secrets: values of a configuration that stand elsewhere

So that no password lies in a configuration, nor in what the engine shows of it.

## Functions

`read(value)` returns the value: of the environment variable for `"env:NAME"`, all of the file but white space at its ends
for `"file:/path"`, any other text as it is, nil for nil; or nil and the reason, which an empty secret is too. It is looked
up at each call, so what is renewed is used at once. `check(value, name)` raises an error that names the setting unless
the value is nil or a text.
--]]

local io     = require "io"
local os     = require "os"
local string = require "string"

local error, type = error, type
local format, match = string.format, string.match
local getenv, open = os.getenv, io.open

-- Longest file with a secret, bytes.
local FILE_MAX = 64 * 1024

local M = {}
setfenv(1, M)

function check(value, name)
    if value ~= nil and type(value) ~= "string" then error(name .. " must be a string", 0) end
    return value
end

local function read_file(path)
    local file = open(path)
    if not file then return nil, format("the secret %s cannot be read", path) end
    local text = file:read(FILE_MAX + 1) or ""
    file:close()
    if #text > FILE_MAX then return nil, format("the secret %s is longer than %d bytes", path, FILE_MAX) end
    local found = match(text, "^%s*(.-)%s*$")
    if found == "" then return nil, format("the secret %s is empty", path) end
    return found
end

function read(value)
    local name = value and match(value, "^env:(.+)")
    if name then
        local found = getenv(name)
        if not found or found == "" then return nil, format("the environment variable %s is not set", name) end
        return found
    end
    local path = value and match(value, "^file:(.+)")
    if path then return read_file(path) end
    return value
end

return M
