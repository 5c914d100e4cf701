-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Default headers: fill in what a record does not say about itself

For decoders that make a message from a record which may have headers of its own.

## Functions

`fill(msg, defaults)` gives `msg` each header and each Field of `defaults` that it does not have. `defaults` is the table
that a decoder gets, its Fields in the form `{ name = value }`, or nil; the Fields of `msg` may have either form. What is
filled in is not copied.
--]]

local ipairs, pairs, type = ipairs, pairs, type

local M = {}
setfenv(1, M)

local function fill_array(fields, defaults)
    local known = {}
    for _, field in ipairs(fields) do known[field.name] = true end
    for name, value in pairs(defaults) do
        if not known[name] then
            local field = type(value) == "table" and value.value ~= nil and value or { value = value }
            fields[#fields + 1] = { name = name, value = field.value, value_type = field.value_type,
                                    representation = field.representation }
        end
    end
end

function fill(msg, defaults)
    if not defaults then return end
    for header, value in pairs(defaults) do
        if header ~= "Fields" and not msg[header] then msg[header] = value end
    end
    if type(defaults.Fields) ~= "table" then return end
    if type(msg.Fields) ~= "table" then msg.Fields = {} end
    if type(msg.Fields[1]) == "table" then return fill_array(msg.Fields, defaults.Fields) end
    for name, value in pairs(defaults.Fields) do
        if msg.Fields[name] == nil then msg.Fields[name] = value end
    end
end

return M
