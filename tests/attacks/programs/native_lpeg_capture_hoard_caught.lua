-- attack: lpeg | output | contained: instruction_limit exceeded
-- The same without end, with every error caught, and with open captures that are thrown away.
local l = require "lpeg"
local subject = (require "string").rep("ab", 200000)
local patts = {(l.C(1)) ^ 0, l.Ct((l.Cg(l.C(1), "n")) ^ 0), l.Cs((l.P "a" / "%0%0%0%0%0%0%0%0%0%0" + 1) ^ 0), l.Cf(l.Cc(0) * l.C(1) ^ 0, function(a) return a end),
    (l.C(1) ^ 0 * "x") + l.C(1) ^ 0 * "y", l.Cmt(l.C(1) ^ 0, function() return true end)}
function process_message()
    while true do
        for _, p in ipairs(patts) do pcall(l.match, p, subject) end
    end
end
