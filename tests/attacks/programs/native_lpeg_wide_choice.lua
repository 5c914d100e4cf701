-- attack: lpeg | analysis | contained: not enough memory / instruction_limit exceeded / pattern too
-- A choice of a hundred thousand texts, matched after each that is added.
local l = require "lpeg"
local patt = l.P "x"
function process_message()
    for i = 1, 1e9 do
        patt = patt + l.P("word number " .. i)
        l.match(patt, "nothing of this")
    end
end
function timer_event() end
