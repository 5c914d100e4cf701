-- attack: lpeg | analysis | contained: instruction_limit exceeded / not enough memory / too many
-- Each back reference looks through all captures before it: n^2 steps that are not in the match itself.
local l = require "lpeg"
local subject = (require "string").rep("a", 20000)
local patt = l.Ct(l.Cg(l.C(1), "first") * (l.Cg(1, "other") * l.Cb "first" / 0) ^ 0)
local named = l.Cg(l.C(1), "first") * (l.Cp() / 0 * l.Cmt(l.Cb "first", function() return true end) * 1) ^ 0
function process_message()
    while true do
        pcall(l.match, patt, subject)
        pcall(l.match, named, subject)
    end
end
function timer_event() end
