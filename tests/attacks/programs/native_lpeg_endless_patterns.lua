-- attack: lpeg | analysis | harmless
-- Loops over nothing and left recursion in every disguise: each must be refused.
local l = require "lpeg"
local none = {l.P "", l.P(true), l.P(0), l.P "a" ^ 0, l.P "a" ^ -1, -l.P "a", #l.P "a", l.Cp(), l.Cc(1), l.C "", l.Ct(l.P "a" ^ 0), l.Cs "", l.Cg("", "n"), l.Cg("", "n") * l.Cb "n",
    l.B "a", l.P "" + "a", l.P "a" + "", l.Cmt("", function() return true end), l.Cf(l.Cc(1), print), l.P "" / 0, l.Carg(1), l.P {l.P "a" ^ 0}, l.P {l.V "x", x = l.V "y", y = l.P "a" + true}}
local left = {l.V(1) * "a", "" * l.V(1), l.V(1) + "a", "a" + l.V(1) * "b", -l.V(1) * "a", #l.V(1), l.C(l.V(1)), l.P "a" ^ 0 * l.V(1), l.B "a" * l.V(1), (l.P "a" + "") * l.V(1),
    l.Cmt("", function() return true end) * l.V(1), l.Cb "x" * l.V(1), l.Cg(l.V(1), "x"), l.P {l.P "a" ^ 0} * l.V(1)}
function process_message()
    for i, p in ipairs(none) do
        for n = 0, 3 do assert(not pcall(function() return p ^ n end), "HOLE: a loop over nothing, " .. i) end
        assert(not pcall(l.P, {(l.V "x") ^ 0, x = p}), "HOLE: a loop over an empty rule, " .. i)
    end
    for i, p in ipairs(left) do
        assert(not pcall(l.P, {p}), "HOLE: left recursion, " .. i)
        assert(not pcall(l.P, {l.V "x", x = l.P "q" ^ 0 * l.V "y", y = l.P "" * l.V(1)}), "HOLE: left recursion over rules")
    end
    return 0
end
function timer_event() end
