-- attack: lpeg | analysis | either
-- Patterns that double in size with each step, and repetitions of absurd numbers.
local l = require "lpeg"
local math = require "math"
local double = {function(p) return p * p end, function(p) return "b" + p * "c" + p end, function(p) return l.C(p) * l.Cp() * p end,
    function(p) return l.P {p * p + l.V(1)} end, function(p) return p ^ 100 end, function(p) return p ^ -100 end, function(p) return (p + 1 * p) - p end}
function process_message()
    for _, f in ipairs(double) do
        local p, ok = l.P "a", true
        for _ = 1, 80 do
            local good, q = pcall(f, p)
            if not good then ok = false break end
            p = q
        end
        assert(not ok or not pcall(l.match, p, "aaaa"), "HOLE: a pattern of 2^80 nodes was compiled")
    end
    for _, n in ipairs({1e6, 2^24, 2^31 - 1, 2^31, -2^31, 2^53, 1e18, -1e18, 1e300, math.huge, -math.huge, 0/0, 0.5, -0.5}) do
        pcall(function() return l.match(l.P "a" ^ n, "aaaa") end)
        pcall(function() return l.match(l.P(n), "aaaa") end)
        pcall(function() return l.match((l.P "a" / n), "aaaa") end)
        pcall(function() return l.match(l.B(l.P(n)), "aaaa") end)
        pcall(function() return l.match((l.P "a" * l.C "b") ^ n, "abab") end)
    end
    return 0
end
function timer_event() end
