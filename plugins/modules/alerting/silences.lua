-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Silences: which alerts nobody wants to hear of for a while

Reads the file that the web UI writes, whenever it has changed:

    { "silences": [ { "id": "...", "start": 1700000000, "end": 1700003600, "author": "ann", "reason": "...",
                      "plugin": "analysis.watch", "alert": "rate", "expression": "Severity > 2" } ] }

Times are seconds since 1970. Of `plugin` (the Logger), `alert` (its id) and `expression` (in the language of
`message_matcher`) at least one is there, and each that is there must fit.

## Functions

`open(path)` returns an object with two methods. `object:find(plugin, id, now)` returns the id of a silence that holds
for the current message, or nil; `object:active(id, now)` tells whether this silence still holds. A file that cannot be
read leaves the silences as they were; a silence that is not understood silences nothing.
--]]

local cjson  = require "cjson"
local io     = require "io"
local lfs    = require "lfs"
local string = require "string"

local create_message_matcher, ipairs, pcall, print, setmetatable, tonumber, type =
    create_message_matcher, ipairs, pcall, print, setmetatable, tonumber, type
local attributes, decode, format, open_file = lfs.attributes, cjson.decode, string.format, io.open

-- Silences beyond these are not looked at, nor what lies beyond so many bytes of the file.
local SILENCES_MAX = 1000
local FILE_MAX     = 2 * 1024 * 1024

local M = {}
setfenv(1, M)

local methods = {}

-- One silence as it is used, or nil.
local function compiled(entry)
    if type(entry) ~= "table" or type(entry.id) ~= "string" then return nil end
    local made = { id = entry.id, from = tonumber(entry.start), to = tonumber(entry["end"]) }
    if not made.from or not made.to then return nil end
    if type(entry.plugin) == "string" then made.plugin = entry.plugin end
    if type(entry.alert) == "string" then made.alert = entry.alert end
    if type(entry.expression) == "string" then
        local ok, matcher = pcall(create_message_matcher, entry.expression)
        if not ok then return nil end
        made.matcher = matcher
    end
    if not made.plugin and not made.alert and not made.matcher then return nil end
    return made
end

local function read(path)
    local file = open_file(path)
    if not file then return nil end
    local text = file:read(FILE_MAX) or ""
    file:close()
    local ok, document = pcall(decode, text)
    if not ok or type(document) ~= "table" or type(document.silences) ~= "table" then return nil end
    local list = {}
    for i, entry in ipairs(document.silences) do
        if i > SILENCES_MAX then break end
        list[#list + 1] = compiled(entry)
    end
    return list
end

-- The file is replaced as a whole, so another one has another number.
function methods:refresh()
    local found = attributes(self.path)
    local stamp = found and format("%d %d %d", found.ino, found.size, found.modification) or ""
    if stamp == self.stamp then return end
    self.stamp = stamp
    local list = found and read(self.path)
    if found and not list then print("the silences cannot be read: " .. self.path) end
    if list or not found then self.list = list or {} end
end

function methods:find(plugin, id, now)
    self:refresh()
    for _, silence in ipairs(self.list) do
        local fits = now >= silence.from and now < silence.to and (not silence.plugin or silence.plugin == plugin)
            and (not silence.alert or silence.alert == id)
        if fits and (not silence.matcher or silence.matcher:eval()) then return silence.id end
    end
end

function methods:active(id, now)
    self:refresh()
    for _, silence in ipairs(self.list) do
        if silence.id == id then return now >= silence.from and now < silence.to end
    end
    return false
end

function open(path)
    return setmetatable({ path = path, list = {}, stamp = "" }, { __index = methods })
end

return M
