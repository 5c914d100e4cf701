-- attack: lpeg | output | either
-- Every function with every kind of value, and matches from places outside of the text.
local l = require "lpeg"
local math, string = require "math", require "string"
local odd = {-1, 0, 1e18, -1e18, 2^31, math.huge, -math.huge, 0/0, "", "\0", "az\0", string.rep("x", 100000), {}, {{}}, {1, 2}, {l.V(2), 3}, {false}, setmetatable({}, {__index = function() return l.V(1) end}), true, false, print, function() end, l.P "a", l.V "x"}
function process_message()
    for name, f in pairs(l) do
        if type(f) == "function" and name ~= "setmaxstack" and name ~= "locale" then
            pcall(f)
            for _, a in ipairs(odd) do
                pcall(f, a)
                for _, b in ipairs(odd) do pcall(f, a, b) end
            end
        end
    end
    for _, init in ipairs({-1e18, -4, -3, 0, 1, 3, 4, 5, 1e18, 2^32 + 1, 0/0, math.huge, -math.huge}) do
        local ok, at = pcall(l.match, l.Cp(), "abc", init)
        assert(not ok or at == nil or (at >= 1 and at <= 4), "HOLE: a match outside of the text")
        pcall(l.match, l.P(1) ^ 0, "abc", init) pcall(l.match, l.B(1) * 1, "abc", init)
    end
    for _, n in ipairs({0, 1, -1, 256, 1e18, 0/0}) do pcall(function() return l.match(l.Carg(n), "", 1, 2, 3) end) end
    pcall(l.match, l.Carg(200), "", 1, unpack({}, 1, 7900))
    return 0
end
