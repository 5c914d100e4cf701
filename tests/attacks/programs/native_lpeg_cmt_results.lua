-- attack: lpeg | output | either
-- Functions of a match that answer with positions outside of the text, with odd values, errors, and thousands of values.
require "coroutine"
local l = require "lpeg"
local math, string = require "math", require "string"
local values = {-1, 0, 1, 4, 5, 1e18, -1e18, 2^31, 2^32 + 2, 2^53, math.huge, -math.huge, 0/0, 1.5, "2", "x", {}, print, l.P "a", true, false}
function process_message()
    for _, v in ipairs(values) do
        local patt = l.Cmt(1, function() return v, v, v end) * l.C(l.P(1) ^ 0)
        local ok, a, b, c, d = pcall(l.match, patt, "abc")
        if ok and type(d) == "string" then assert(#d <= 3, "HOLE: read behind the text") end
        pcall(l.match, l.Ct(patt ^ 1), "abc")
        pcall(l.match, l.Cs(patt), "abc")
        pcall(l.match, l.C(1) / function() return v end * l.Cp(), "abc")
        pcall(l.match, l.C(1) / {a = v}, "abc")
        pcall(l.match, l.Cs(l.C(1) / function() return v end), "abc")
        pcall(l.match, l.Cs(l.Cc(v)), "abc")
        pcall(l.match, l.Cf(l.Cc(v) * l.Cc(v), function(a, b) return b end), "abc")
        pcall(l.match, l.Cg(l.Cc(v), v) * l.Cb(v), "abc")
        pcall(l.match, l.Cg(l.Cc(v), "n") * l.Cmt(l.Cb "n", function(_, _, x) return x end), "abc")
    end
    pcall(l.match, l.Cmt(1, function() error() end), "abc")
    pcall(l.match, l.Cmt(1, function() error(setmetatable({}, {__tostring = error})) end), "abc")
    pcall(l.match, l.Cmt(1, function(...) return true, unpack({}, 1, 7000) end), "abc")
    pcall(l.match, l.C(1) / function() return unpack({}, 1, 7000) end, "abc")
    pcall(l.match, (l.C(1) / function() return unpack({}, 1, 500) end) ^ 0, string.rep("a", 1000))
    local co = coroutine.wrap(function() return l.match(l.Cmt(1, coroutine.yield), "abc") end)
    for _ = 1, 3 do pcall(co) end
    co = coroutine.wrap(function() return l.match(l.C(1) / coroutine.yield, "abc") end)
    for _ = 1, 3 do pcall(co) end
    return 0
end
