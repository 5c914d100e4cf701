-- attack: lpeg | output | harmless
-- Changes the tables that a pattern was made of, and the module, while it matches.
local l = require "lpeg"
local string = require "string"
local rules = {l.V "x", x = l.P "a"}
local values = {a = 1}
local patt = l.P(rules)
local mapped = l.Cmt(l.P "a", function()
    rules.x, rules[1] = nil, nil
    for k in pairs(values) do values[k] = nil end
    l.match(patt, "aaa")
    return true, "a"
end) / values
local metatable = setmetatable({}, {__index = function(t, k)
    rawset(t, k .. #k, t)
    return l.match(l.C(1) ^ 0, string.rep(k, 100))
end, __len = error, __call = error})
function process_message()
    pcall(l.match, mapped, "aaa")
    pcall(l.match, (l.C(1) / metatable) ^ 0, "abcdefgh")
    assert(getmetatable(patt) == nil or type(getmetatable(patt)) ~= "table" or not pcall(function() getmetatable(patt).__index = error end), "HOLE: the metatable of patterns can be changed")
    pcall(setmetatable, patt, {})
    pcall(function() patt.match = error end)
    pcall(function() return patt < patt, patt .. patt, patt(), #patt, patt % 2, -patt * nil end)
    return 0
end
