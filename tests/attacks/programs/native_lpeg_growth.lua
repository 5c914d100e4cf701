-- attack: lpeg | analysis | contained: not enough memory / instruction_limit exceeded
-- Substitution captures that make a text longer with each round.
local l = require "lpeg"
local string = require "string"
local text = "a"
local patt = l.Cs((l.P(1) / string.rep("%0", 1000)) ^ 0)
function process_message()
    while true do text = l.match(patt, text) end
end
function timer_event() end
