-- attack: lpeg | analysis | contained: not enough memory / instruction_limit exceeded
-- The largest backtrack stack that can be asked for, filled.
local l = require "lpeg"
local math, string = require "math", require "string"
for _, n in ipairs({0, -1, 0/0, 1e18, math.huge}) do pcall(l.setmaxstack, n) end
pcall(l.setmaxstack, 2^31 - 1)
local patt = l.P {"(" * l.V(1) * ")" + "(" * l.V(1) * "]" + -1}
local subject = string.rep("(", 3000000)
function process_message()
    while true do pcall(l.match, patt, subject) end
end
function timer_event() end
