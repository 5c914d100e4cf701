-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Monitor keys: parts of a message as the name of what is watched

## Functions

`new(variables [, missing])` returns a function that gives the key of the current message: the values of the variables (names as
`read_message` takes them) between slashes. Where one is absent the text `missing` stands for it; without that text the function returns
nil. `variables` may be one name, or nil: then the key is always "all".

`path(variables [, missing])` returns a function that gives an array of keys instead, one for each level: of the first variable, of the
first two, and so on. The array belongs to the module and is not to be changed.

A value is cut to 64 bytes, and control characters and slashes in it become blanks, so that keys fit into tables and can be taken apart.
What was once put together is remembered, for at most 10,000 combinations, so that a message of a known kind makes no new text.

```lua
local key_of = require("monitor.key").new({ "Logger", "Fields[docType]" }) -- telemetry/main
```
--]]

local string = require "string"

local gsub, sub = string.gsub, string.sub
local assert, ipairs, tostring, type = assert, ipairs, tostring, type
local read_message = read_message

local M = {}
setfenv(1, M)

local VALUE_MAX      = 64
local REMEMBERED_MAX = 10000

local function clean(value)
    return (gsub(sub(tostring(value), 1, VALUE_MAX), "[%c/]", " "))
end

local function names(variables)
    local list = type(variables) == "table" and variables or { variables }
    for _, name in ipairs(list) do assert(type(name) == "string", "a name of a part of a message must be a text") end
    return list
end

-- A tree of what was put together: a node has its children by value, its key, and the keys on the way to it.
local function node(keys, key)
    local way = {}
    for i, earlier in ipairs(keys) do way[i] = earlier end
    way[#way + 1] = key
    return { children = {}, keys = way, key = key }
end

local function walker(variables, missing)
    local list = names(variables)
    local root, n = { children = {}, keys = {} }, 0
    return function()
        local at = root
        for i = 1, #list do
            local value = read_message(list[i])
            if value == nil then value = missing end
            if value == nil then return nil end
            local child = at.children[value]
            if not child then
                if n >= REMEMBERED_MAX then
                    -- Those in use come back at once; the way so far is still good.
                    root.children, n = {}, 0
                end
                n = n + 1
                child = node(at.keys, at.key and at.key .. "/" .. clean(value) or clean(value))
                at.children[value] = child
            end
            at = child
        end
        return at
    end
end

function new(variables, missing)
    if #names(variables) == 0 then return function() return "all" end end
    local walk = walker(variables, missing)
    return function()
        local at = walk()
        return at and at.key
    end
end

function path(variables, missing)
    local walk = walker(variables, missing)
    return function()
        local at = walk()
        return at and at.keys
    end
end

return M
