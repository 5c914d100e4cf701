-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# URI: grammars for RFC 3986

## Grammars

`uri` matches a whole URI; `uri_reference` also a relative reference, such as `test.html?foo=bar`. Their capture is
a table of the components that are there: `scheme`, `userinfo`, `host` (of an IP literal: without its brackets; a
name in small letters), `port`, `path`, `query`, `fragment`. Percent escapes are decoded in `userinfo` and `path`,
and are kept in `query`, where they tell data from separators.

`url_query` matches a whole query string and captures a table: keys without a value have an empty one, of equal keys
the last counts, percent escapes and `+` are decoded.
--]]

local l   = require "lpeg"
local es  = require "lpeg.escape_sequences"
local ipa = require "lpeg.ip_address"

local P, R, S, C, Cc, Cf, Cg, Cs, Ct = l.P, l.R, l.S, l.C, l.Cc, l.Cf, l.Cg, l.Cs, l.Ct
local rawset = rawset

local M = {}
setfenv(1, M)

local alpha, digit, xdigit = R("az", "AZ"), R"09", R("09", "af", "AF")
local unreserved = alpha + digit + S"-._~"
local sub_delims = S"!$&'()*+,;="
local escape     = P"%" * xdigit * xdigit

-- Text of these bytes and of escapes, which are decoded; without escapes the text is taken as it is.
local function decoded(set, least)
    local decoding = Cs((set + es.percent)^least)
    return C(set^least) * -P"%" + decoding
end

local pchar = unreserved + sub_delims + S":@"

local userinfo = Cg(decoded(unreserved + sub_delims + ":", 0), "userinfo") * "@"
local future   = P"v" * xdigit^1 * "." * (unreserved + sub_delims + ":")^1
local host     = Cg(P"[" * C(ipa.v6 + future) * "]" + ipa.v4 + ipa.hostname, "host")
local port     = P":" * Cg(digit^0, "port")

-- A path may hold pchar and slashes; how it begins tells the kinds apart.
local rest     = decoded(pchar + "/", 0)
local abempty  = Cg(#P"/" * rest + #(S"?#" + -1) * Cc"", "path")
local absolute = -P"//" * #P"/" * Cg(rest, "path")
local rootless = #(pchar + escape) * Cg(rest, "path")
-- The first segment of a relative path has no colon: "a:b" would be a scheme.
local noscheme = -((pchar - ":" + escape)^0 * ":") * rootless

local authority = P"//" * userinfo^-1 * host * port^-1 * abempty
local query     = P"?" * Cg((pchar + S"/?" + escape)^0, "query")
local fragment  = P"#" * Cg((pchar + S"/?" + escape)^0, "fragment")
local scheme    = Cg(alpha * (alpha + digit + S"+-.")^0, "scheme") * ":"

local tail     = query^-1 * fragment^-1 * -1
local full     = scheme * (authority + absolute + rootless)^-1 * tail
local relative = (authority + absolute + noscheme)^-1 * tail

uri           = Ct(full)
uri_reference = Ct(full) + Ct(relative)

-- Form data without escapes is taken as it is.
local function form(stop, least)
    local plain = (1 - S"%+" - stop)^least
    return C(plain) * #(stop + -1) + Cs(((es.url + 1) - stop)^least)
end

local key   = form(S"=&", 1)
local value = P"=" * form(P"&", 0) + Cc""
local pairs_ = Cg(key * value) * P"&"^0

url_query = Cf(Ct"" * pairs_^0, rawset) * -1

return M
