-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# logfmt: key=value pairs

    at=info method=GET path=/ msg="hello \"you\"" cached

## Grammars

`grammar` captures a table. A value is a string: a word, or a quoted text with the escapes of JSON; `key=` has an
empty one; a key alone is `true`. Of equal keys the last counts. A key is made of bytes above space other than `=`
and `"`; whatever stands between pairs is skipped.
--]]

local l  = require "lpeg"
local es = require "lpeg.escape_sequences"

local P, R, S, C, Cc, Cf, Cg, Cs, Ct = l.P, l.R, l.S, l.C, l.Cc, l.Cf, l.Cg, l.Cs, l.Ct
local rawset = rawset

local M = {}
setfenv(1, M)

local word    = (P(1) - R"\0\32" - S'="')^1
local garbage = (R"\0\32" + S'="')^0
local plain   = (1 - S'"\\')^0
local quoted  = P'"' * (C(plain) * '"' + Cs((plain * es.json)^0 * plain) * '"')
local value   = P"=" * (C(word) + quoted + Cc"") + Cc(true)

grammar = Cf(Ct"" * (garbage * Cg(C(word) * value))^0, rawset)

return M
