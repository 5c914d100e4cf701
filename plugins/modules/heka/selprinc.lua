-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Events with a principal: who did what to which object, from where, out of messages of many kinds

## Configuration

```lua
heka_selprinc = {
    events = {
        ssh = {                                        -- the category
            select_field   = "Fields[programname]",    -- the event is of this category where this
            select_match   = "^sshd$",                 -- matches this pattern
            subject_field  = "Fields[user]",
            object_field   = "Hostname",               -- or object_static = "a text"
            sourceip_field = "Fields[ssh_remote_ipaddr]",
            subject_map    = { root = "operator" },    -- optional: other names for subjects
            aux = {                                    -- optional: further values, by their names
                { "geocity", "Fields[ssh_remote_ipaddr_city]" },
            },
        },
    },
}
```

## Functions

`match()` looks for the category of the current message, the first one by the alphabet, and returns a table with the keys `category`,
`subject`, `object`, `sourceip` and those of `aux`; or nil where no category fits, or subject, object or sourceip is absent.
--]]

local string = require "string"
local pairs_by_key = require "lsb.util".pairs_by_key

local find = string.find
local ipairs, read_message, tostring = ipairs, read_message, tostring

local cfg = read_config("heka_selprinc") or error("heka_selprinc configuration not found")
assert(type(cfg.events) == "table", "invalid selprinc events configuration")

local events = {}
for category, event in pairs_by_key(cfg.events) do
    if not (event.select_field and event.select_match and event.subject_field and event.sourceip_field
            and (event.object_field or event.object_static)) then
        error("selprinc configuration missing required parameters")
    end
    for _, pair in ipairs(event.aux or {}) do
        if #pair ~= 2 then error("aux element has incorrect length") end
    end
    events[#events + 1] = { category = category, cfg = event }
end
if #events == 0 then error("selprinc configuration contained no events") end

local M = {}
setfenv(1, M)

local function select_event()
    for _, event in ipairs(events) do
        local value = read_message(event.cfg.select_field)
        if value ~= nil and find(tostring(value), event.cfg.select_match) then return event.category, event.cfg end
    end
end

function match()
    local category, event = select_event()
    if not event then return nil end
    local subject  = read_message(event.subject_field)
    local object   = event.object_static or read_message(event.object_field)
    local sourceip = read_message(event.sourceip_field)
    if not subject or not object or not sourceip then return nil end
    if event.subject_map then subject = event.subject_map[subject] or subject end

    local found = { category = category, subject = subject, object = object, sourceip = sourceip }
    for _, pair in ipairs(event.aux or {}) do found[pair[1]] = read_message(pair[2]) end
    return found
end

return M
