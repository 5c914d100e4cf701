-- attack: lpeg | analysis | either
-- Patterns nested a hundred thousand deep by every operator: built, compiled, matched and freed without recursion into the ground.
local l = require "lpeg"
local deepen = {
    function(p) return -p end, function(p) return #p end, function(p) return l.C(p) end, function(p) return l.Ct(p) end,
    function(p) return l.Cs(p) end, function(p) return l.Cg(p) end, function(p) return l.Cg(p, "n") end, function(p) return p / 1 end,
    function(p) return p / "%0" end, function(p) return p / {} end, function(p) return l.Cmt(p, function() return true end) end,
    function(p) return l.Cf(p, function(a) return a end) end, function(p) return l.P {p} end, function(p) return l.B(p) end,
    function(p) return (p * "x") ^ 1 end, function(p) return (l.P "x" + p * "y") ^ 0 * "z" end, function(p) return ("x" * p) ^ -1 end,
    function(p) return "a" * p end, function(p) return p * "a" end, function(p) return "a" + p end, function(p) return p + "a" end,
    function(p) return p - "b" end, function(p) return "b" - p end,
}
function process_message()
    for _, deeper in ipairs(deepen) do
        local p = l.P "a"
        for i = 1, 100000 do
            local ok, q = pcall(deeper, p)
            if not ok then break end
            p = q
            if i % 1000 == 999 then pcall(l.match, p, "aaaa") end
        end
        pcall(l.match, p, "aaaa")
    end
    return 0
end
function timer_event() end
