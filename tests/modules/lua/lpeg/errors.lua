-- The words of errors, and what hostile use comes to.
local l = require "lpeg"
local string = require "string"
local P, V, C, Ct, Cmt = l.P, l.V, l.C, l.Ct, l.Cmt

local function fails(expected, f, ...)
    local ok, text = pcall(f, ...)
    if ok or not string.find(text, expected, 1, true) then
        error("expected '" .. expected .. "', found " .. tostring(ok) .. " '" .. tostring(text) .. "'", 2)
    end
end

-- Arguments.
fails("(lpeg-pattern expected, got nil)", function() local p = P(nil) return p end)
fails("(value expected)", function() local p = P() return p end)
fails("(lpeg-pattern expected, got nil)", function() return (P "a" * nil) end)
fails("bad argument #2 to 'match' (string expected, got no value)", function() local r = l.match "a" return r end)
fails("bad argument #2 to 'match' (string expected, got table)", function() local r = l.match("a", {}) return r end)
fails("(number expected, got table)", function() local r = l.match("a", "a", {}) return r end)
fails("range must have two characters", l.R, "abc")
fails("string expected, got nil", l.S, nil)
fails("non-nil value expected", V, nil)
fails("number expected, got string", function() return P "a" ^ "x" end)
fails("invalid replacement value", function() return P "a" / true end)
fails("invalid number", function() return P "a" / -1 end)
fails("function expected, got number", l.Cf, "a", 1)
fails("function expected, got nil", Cmt, "a", nil)
fails("invalid argument index", l.Carg, 0)
fails("invalid argument index", l.Carg, 40000)
fails("value expected", l.Cb)
fails("out of range", l.setmaxstack, 0)
fails("out of range", l.setmaxstack, 2 ^ 40)
fails("table expected, got number", l.locale, 1)
fails("pattern may not have fixed length", l.B, P "a" ^ 0)
fails("pattern have captures", l.B, C "a")
fails("pattern too long to look behind", l.B, 256)
assert(l.B(255))

-- Grammars.
fails("grammar has no initial rule", P, {})
fails("grammar has no initial rule", P, { "S" })
fails("initial rule 'S' is not a pattern", P, { "S", S = "abc" })
fails("initial rule '1' is not a pattern", P, { true })
fails("rule 'x' is not a pattern", P, { P "a", x = "s" })
fails("rule 'x' undefined in given grammar", P, { V "x" })
fails("rule '(a table)' undefined in given grammar", P, { V {} })
fails("rule 'x' used outside a grammar", l.match, V "x", "a")
fails("rule '1' may be left recursive", P, { V(1) })
fails("rule 'A' may be left recursive", P, { "A", A = V "B" * "a", B = V "A" })
fails("rule 'B' may be left recursive", P, { "A", A = V "B", B = -P "x" * V "C", C = P "y" ^ 0 * V "A" })
fails("may be left recursive", P, { l.B(#V(1)) })
fails("empty loop in rule 'A'", P, { "A", A = V "B" ^ 0, B = P "x" ^ 0 })
fails("loop body may accept empty string", function() return P "" ^ 0 end)
fails("loop body may accept empty string", function() return l.Cc(1) ^ 1 end)

-- Captures.
fails("reference to absent extra argument #1", l.match, l.Carg(1), "a")
fails("back reference 'x' not found", l.match, l.Cb "x", "a")
fails("no capture '3'", l.match, C "a" / 3, "a")
fails("invalid capture index (2)", l.match, C "a" / "%2", "a")
fails("no values in capture index 1", l.match, l.Cg("a", "x") / "%1", "a")
fails("invalid capture value (a table)", l.match, (P "a" / function() return {} end) / "%1", "a")
fails("invalid replacement value (a table)", l.match, l.Cs(P "a" / function() return {} end), "a")
fails("no initial value for fold capture", l.match, l.Cf("a", print), "a")
fails("invalid position returned by match-time capture", l.match, Cmt("a", function() return 10 end), "a")
fails("invalid position returned by match-time capture", l.match, Cmt("ab", function() return 1 end), "ab")
fails("invalid position returned by match-time capture", l.match, Cmt("a", function() return {} end), "a")
fails("own words", l.match, P "a" / function() error "own words" end, "a")
fails("own words", l.match, Cmt("a", function() error "own words" end), "a")
fails("stack overflow (too many captures)", l.match, C(1) ^ 0, string.rep("a", 100000))

-- The backtrack stack.
local nest = P { P "a" * V(1) * "b" + "c" }
fails("backtrack stack overflow (current limit is 400)", l.match, nest, string.rep("a", 1000))
assert(nest:match(string.rep("a", 390) .. "c" .. string.rep("b", 390)))
l.setmaxstack(10)
fails("backtrack stack overflow (current limit is 10)", l.match, nest, string.rep("a", 1000))
l.setmaxstack(2 ^ 31 - 1)
assert(nest:match(string.rep("a", 50000) .. "c" .. string.rep("b", 50000)) == 100002)
local lists = P { Ct("(" * V(1) ^ 0 * ")") }
local deep = lists:match(string.rep("(", 900) .. string.rep(")", 900))
for _ = 1, 899 do deep = deep[1] end
assert(#deep == 0)
fails("subcapture nesting too deep", l.match, lists, string.rep("(", 50000) .. string.rep(")", 50000))

-- What is built by loops.
local chain = P "a"
for _ = 1, 50000 do chain = chain * "b" end
assert(chain:match("a" .. string.rep("b", 50000)) == 50002)
local alternatives = P(false)
for i = 1, 20000 do alternatives = alternatives + (P("k" .. i) * ";") end
assert(alternatives:match "k19999;" == 8)
local double = C "a"
fails("pattern too big", function() for _ = 1, 60 do double = double * double end end)
local tower = P "a"
fails("pattern too deep", function() for _ = 1, 100000 do tower = -tower end end)
fails("pattern too big", function() return l.match(P "a" ^ 1e9, "a") end)
assert(l.match(P(1e9), "a") == nil)
local rules = { "r1" }
for i = 1, 3000 do rules["r" .. i] = V("r" .. (i + 1)) + "x" end
rules.r3001 = P "y"
assert(P(rules):match "y" == 2)

-- Matches within matches.
local own
own = P "a" / function() return own:match "a" end
fails("C stack overflow", l.match, own, "a")
own = Cmt("a", function() return own:match "a" end)
fails("C stack overflow", l.match, own, "a")
local function level(n)
    return Ct(Ct(Ct(P "a" / function() return n > 0 and level(n - 1):match "a" or 1 end)))
end
assert(level(50):match "a")
fails("too deep", function() local p = P "a" / function() return level(150):match "a" end for _ = 1, 900 do p = Ct(p) end return (p:match "a") end)
-- An error leaves nothing behind.
assert(level(50):match "a" and nest:match "acb" == 4)
