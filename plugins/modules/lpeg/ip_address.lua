-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# IP addresses: grammars for addresses and names of hosts (RFC 3986)

## Grammars

| grammar | matches | capture |
|---|---|---|
| `v4` | 192.0.2.1 | none |
| `v6` | 2001:db8::1, ::ffff:192.0.2.1 | none |
| `hostname` | a reg-name of RFC 3986 | the name in small letters |
| `host` | v6, v4 or hostname | of a hostname: the name in small letters |
| `v4_field` | as `v4` | `{ value = "192.0.2.1", representation = "ipv4" }` |
| `v6_field` | as `v6` | `{ value = "::1", representation = "ipv6" }` |
| `host_field` | as `host` | one of these, or `{ value = "example.com", representation = "hostname" }` |
| `v4_octets` | as `v4` | an array of four numbers |

No grammar is bound to the end of the text. In `host` and `host_field` digits that go on as a name, such as
`10.0.0.1.example.com`, are a name.
--]]

local l      = require "lpeg"
local string = require "string"

local lower = string.lower
local P, R, S, Cc, Cg, Ct, V = l.P, l.R, l.S, l.Cc, l.Cg, l.Ct, l.V
local tonumber = tonumber

local M = {}
setfenv(1, M)

local digit, xdigit, alnum = R"09", R("09", "af", "AF"), R("09", "az", "AZ")

-- 0 to 255 without leading zeros; the alternatives differ in their first byte, so none is tried in vain.
local octet = P"1" * (digit * digit^-1)^-1
            + P"2" * (R"04" * digit^-1 + P"5" * R"05"^-1 + R"69")^-1
            + R"39" * digit^-1
            + P"0"

v4 = octet * "." * octet * "." * octet * "." * octet

local number = octet / tonumber
v4_octets = Ct(number * "." * number * "." * number * "." * number)

-- Eight groups of 16 bits, the last two perhaps written as an IPv4 address, and once "::" for one group or more.
-- Each group is read once, whatever follows it. The parts are rules, so that each is compiled once.
v6 = (function()
    local GROUPS = 8
    local group = xdigit * xdigit^-3
    -- Rule `behindN`: up to N groups behind "::".
    local rules = { P"::" * V"behind7"^-1 + V"from1", v4 = v4, behind1 = group }
    for n = 2, GROUPS - 1 do
        rules["behind" .. n] = V"v4" + group * (":" * V("behind" .. n - 1))^-1
    end
    -- Rule `fromN`: what may stand from group N on while there was no "::".
    for n = 1, GROUPS - 2 do
        rules["from" .. n] = group * (P"::" * V("behind" .. GROUPS - 1 - n)^-1 + ":" * V("from" .. n + 1))
    end
    rules.from7 = V"v4" + group * (P"::" + ":" * group)
    return P(rules)
end)()

local name = (alnum + S"-._~!$&'()*+,;=")^1
local reg_name = (name + P"%" * xdigit * xdigit)^1
local goes_on = P"."^-1 * alnum
local v4_host = v4 * -goes_on

hostname = reg_name / lower
host     = v6 + v4_host + hostname

local function field(pattern, representation)
    return Ct(Cg(pattern, "value") * Cg(Cc(representation), "representation"))
end

v4_field   = field(v4, "ipv4")
v6_field   = field(v6, "ipv6")
host_field = field(v4_host, "ipv4") + v6_field + field(hostname, "hostname")

return M
