-- attack: lpeg | analysis | contained: stack overflow / instruction_limit exceeded / too deep / not enough memory
-- A function of a match that matches the same again, without end.
local l = require "lpeg"
local patt
patt = l.Cmt(l.C(1), function(subject, position) return l.match(patt, subject, position - 1) end)
function process_message()
    l.match(patt, "aaaaaaaa")
    return 0
end
function timer_event() end
