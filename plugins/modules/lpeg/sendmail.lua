-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Sendmail: grammar for the lines that tell what happened to a message

    x68DJAVD023504: to=<ann@example.com>, delay=12:34:45, mailer=lmtp, dsn=2.0.0, stat=Sent

## Grammars

`grammar` captures a table: `sendmailid` and the `key=value` pairs as texts. `stat` is the last and may hold anything.
Lines without the id of a message, such as `NOQUEUE: ...`, do not match.
--]]

local l = require "lpeg"

local P, R, C, Cc, Cf, Cg, Ct = l.P, l.R, l.C, l.Cc, l.Cf, l.Cg, l.Ct
local rawset = rawset

local M = {}
setfenv(1, M)

local alpha, digit = R("az", "AZ"), R"09"

-- Up to eight letters and digits that tell the time, then the process in six digits or more.
local id    = Cg(Cc"sendmailid" * C((alpha + digit)^-8 * digit^6)) * ": "
local value = ((1 - P",")^1 + (P"," - P", "))^1
local stat  = Cg(C"stat" * "=" * C(P(1)^0))
local pair  = Cg(C(alpha^1) * "=" * C(value)) * P", "^-1

grammar = Cf(Ct"" * id * (stat + pair)^0, rawset)

return M
