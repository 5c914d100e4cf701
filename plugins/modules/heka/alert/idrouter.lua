-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Alerts by identity: whom an alert is about says who gets it

A lookup module for `heka.alert`. A person has many names, of accounts and of addresses; `mapfrom` gathers them under
one identity, and an alert about any of them goes to that person, to a place for all alerts, or to one for errors.

## Configuration

```lua
alert = {
    lookup = "idrouter",
    modules = {
        idrouter = {
            subjects = {
                ann = {
                    mapfrom = { "ann", "ann@example.com" },
                    email   = { direct = "ann.private@example.com" }, -- instead of the one for all
                },
                bob = { mapfrom = { "bob", "robert" } },
            },
            email = {
                direct = "%s@example.com",        -- %s is the identity
                global = "everything@example.com",
                error  = "errors@example.com",
            },
            irc = { global = "irc.example.com#alerts" },
        },
    },
}
```

Both `email` and `irc` have the destinations `direct`, `global` and `error`; those of a subject come before those for
all. A destination with `%s` is left out where the subject is unknown. Where two subjects claim one name, the first
one by the alphabet has it.

## Functions

`get_message(id, summary, detail, ldata)` returns the alert, or nil if nobody is to get it. `ldata` says who:

| key | |
|---|---|
| `subject` | a name of the person it is about |
| `senduser` | true: to that person, if known |
| `sendglobal` | true: to the place for all alerts |
| `senderror` | true: to the place for errors |

All addresses found get the mail; the channel is the first found of direct, error, global.
--]]

local string = require "string"
local pairs_by_key = require "lsb.util".pairs_by_key

local find, format, gsub = string.find, string.format, string.gsub
local error, ipairs = error, ipairs

local cfg = read_config("alert").modules.idrouter
assert(type(cfg) == "table", "alert.modules.idrouter configuration must be a table")

local M = {}
setfenv(1, M)

local identities = {} -- name -> identity
for identity, subject in pairs_by_key(cfg.subjects or {}) do
    if not subject.mapfrom then error("subjects entry missing mapfrom") end
    for _, name in ipairs(subject.mapfrom) do
        identities[name] = identities[name] or identity
    end
end

-- The destination of this medium and this kind, or nil.
local function destination(medium, kind, identity)
    local own = identity and cfg.subjects[identity][medium]
    local all = cfg[medium]
    local to = own and own[kind] or all and all[kind]
    if not to then return nil end
    if find(to, "%s", 1, true) then
        if not identity then return nil end
        to = gsub(to, "%%s", function() return identity end)
    end
    return medium == "email" and format("<%s>", to) or to
end

function get_message(id, summary, detail, ldata)
    local identity = ldata.subject and identities[ldata.subject]
    local wanted = {
        direct = identity and ldata.senduser,
        error  = ldata.senderror,
        global = ldata.sendglobal,
    }
    local function all(medium, order)
        local found = {}
        for _, kind in ipairs(order) do
            if wanted[kind] then found[#found + 1] = destination(medium, kind, identity) end
        end
        return found
    end
    local recipients = all("email", { "error", "global", "direct" })
    local target     = all("irc", { "direct", "error", "global" })[1]
    if #recipients == 0 and not target then return nil end

    local fields = { { name = "id", value = id }, { name = "summary", value = summary } }
    if #recipients > 0 then fields[#fields + 1] = { name = "email.recipients", value = recipients } end
    if target then fields[#fields + 1] = { name = "irc.target", value = target } end
    return { Type = "alert", Payload = detail, Severity = 1, Fields = fields }
end

return M
