-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# cbufd: the deltas of a circular buffer

What `circular_buffer` writes with the format "cbufd": a header of JSON and one line for each row that changed, the
time in seconds and the values separated by tabs.

    {"time":1379574900,"rows":1440,"columns":2,"seconds_per_row":60,"column_info":[...]}
    1379660520	12075	159901

## Grammars

`grammar` matches the whole text; its capture is an array of rows, with the member `header`, the text of the header.
A row is an array of numbers (`nan` is NaN), with the member `time` in nanoseconds:

```lua
result = { { 12075, 159901, time = 1379660520000000000 }, header = "..." }
```
--]]

local l    = require "lpeg"
local math = require "math"

local P, R, S, Cc, Cg, Ct = l.P, l.R, l.S, l.Cc, l.Cg, l.Ct
local huge = math.huge
local tonumber = tonumber

local M = {}
setfenv(1, M)

local digits   = R"09"^1
local exponent = S"eE" * S"+-"^-1 * digits
local number   = P"-"^-1 * digits * ("." * digits)^-1 * exponent^-1 / tonumber
local special  = P"-"^-1 * "nan" * Cc(0 / 0) + P"inf" * Cc(huge) + P"-inf" * Cc(-huge)

local header = Cg((1 - P"\n")^1, "header") * "\n"
local time   = Cg(digits / function(seconds) return seconds * 1e9 end, "time")
local row    = Ct(time * ("\t" * (number + special))^1 * "\n")

grammar = Ct(header * row^1) * -1

return M
