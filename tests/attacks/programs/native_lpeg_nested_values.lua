-- attack: lpeg | analysis | either
-- Captures within captures as deep as the text goes, by a grammar.
local l = require "lpeg"
local string = require "string"
l.setmaxstack(1e6)
function process_message()
    for _, capture in ipairs({l.C, l.Ct, l.Cs, l.Cg, function(p) return p / "%0" end, function(p) return p / function(a) return a end end,
        function(p) return l.Cf(l.Cc(1) * p, function(a) return a end) end, function(p) return l.Cmt(p, function() return true, 1 end) end}) do
        local patt = l.P {"(" * capture(l.V(1)) ^ -1 * ")"}
        for _, n in ipairs({100, 999, 5000, 100000}) do
            pcall(l.match, patt, string.rep("(", n) .. string.rep(")", n))
        end
    end
    return 0
end
function timer_event() end
