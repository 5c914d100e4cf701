-- attack: lpeg | analysis | contained: instruction_limit exceeded / stack overflow / not enough memory
-- The same twice on each level, with the errors caught: the way back may not be longer than the budget.
local l = require "lpeg"
local patt
patt = l.Cmt(l.Cc(1) * l.C(1), function(subject)
    pcall(l.match, patt, subject)
    pcall(l.match, patt, subject)
    return true
end)
function process_message()
    pcall(l.match, patt, "aaaaaaaa")
    while true do pcall(l.match, patt, "aaaaaaaa") end
end
function timer_event() end
