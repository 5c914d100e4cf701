-- What patterns match, without captures.
local l = require "lpeg"
local string = require "string"
assert(lpeg == l, "the module is a global")

-- Values that stand for patterns.
assert(l.match("ab", "abc") == 3 and l.match("b", "abc") == nil)
assert(l.match(2, "abc") == 3 and l.match(4, "abc") == nil)
assert(l.match(-3, "ab") == 1 and l.match(-2, "ab") == nil)
assert(l.match(0, "") == 1 and l.match("", "") == 1)
assert(l.match(true, "x") == 1 and l.match(false, "x") == nil)
assert(l.match(function(_, i) return i + 1 end, "x") == 2)
assert(l.match({ l.P "a" * l.V(1) + -1 }, "aaa") == 4)
assert(l.type(l.P "a") == "pattern" and l.type "a" == nil and l.type() == nil)
assert(l.version() == "1.0.2")

-- Bytes of every kind.
local all = {}
for i = 0, 255 do all[#all + 1] = string.char(i) end
for _, c in ipairs(all) do
    assert(l.match(l.P(c) * -1, c) == 2 and l.match(l.S(c) * -1, c) == 2 and l.match(l.R(c .. c) * -1, c) == 2)
    assert(l.match(1 - l.P(c), c) == nil)
end
assert(l.match(l.P "a\0b" * -1, "a\0b") == 4)
assert(l.match(l.R("az", "09") ^ 1, "az09A") == 5)
assert(l.match(l.R(), "a") == nil and l.match(l.R "za", "m") == nil and l.match(l.S "", "a") == nil)

-- Where the match begins.
local at = l.Cp()
assert(at:match("abc") == 1 and at:match("abc", 2) == 2 and at:match("abc", 4) == 4 and at:match("abc", 9) == 4)
assert(at:match("abc", -1) == 3 and at:match("abc", -9) == 1 and at:match("abc", 0) == 4)
assert(at:match("abc", "2") == 2)

-- Operators convert what stands on either side.
assert(l.match("a" * l.P "b" * 1, "abc") == 4)
assert(l.match("a" + l.P "b" + "c", "c") == 2)
assert(l.match(l.P(1) - "b", "b") == nil and l.match("b" - l.P "a", "b") == 2)
assert(l.match(#l.P "a", "a") == 1 and l.match(-l.P "a", "b") == 1 and l.match(-l.P "a", "a") == nil)
assert(l.match(l.P "a" * { l.P "b" } * true, "ab") == 3)

-- The first alternative that matches is not left again.
assert(l.match((l.P "a" + "ab") * "c", "abc") == nil)
assert(l.match(("aa" * l.P "bc" ^ -1 + "aab") * "e", "aabe") == nil)
assert(l.match(("aa" * l.P "bc" ^ -1 + "aab") * "b", "aabb") == 4)

-- Repetitions take all they can.
assert(l.match(l.P "a" ^ 0, "aaab") == 4 and l.match(l.P "a" ^ 0, "b") == 1)
assert(l.match(l.P "a" ^ 2, "a") == nil and l.match(l.P "a" ^ 2, "aaa") == 4)
assert(l.match(l.P "a" ^ -2, "aaa") == 3 and l.match(l.P "ab" ^ -2, "b") == 1)
assert(l.match(l.P "a" ^ "2", "aa") == 3)
assert(l.match((1 - l.P "end") ^ 0 * "end", "en en end") == 10)
assert(l.match((1 - l.P "end") ^ 0, "no stop") == 8)
local stop = l.P "<" * l.S "bi" * ">"
assert(l.match((1 - stop) ^ 0 * stop, "a < b <x> <b>") == 14)
for n = 0, 70 do
    local text = string.rep("x", n)
    assert(l.match((1 - l.S "\n") ^ 0 * "\n", text .. "\n") == n + 2)
    assert(l.match((1 - l.S "ab") ^ 0 * "b", text .. "b") == n + 2)
    assert(l.match((1 - l.S "abc") ^ 0 * "c", text .. "c") == n + 2)
    assert(l.match((1 - l.S "abcd") ^ 1, text .. "d") == (n > 0 and n + 1 or nil))
end

-- Looking behind.
assert(l.match(1 * l.B "a", "ab") == 2 and l.match(l.B "a", "a") == nil)
assert(l.match(3 * l.B(l.P "b" * 1), "abc") == 4)

-- Choices by first byte, with and without a rest.
local keyword = l.P "if" + "in" + "else" + "while" + "" 
assert(keyword:match "if" == 3 and keyword:match "in" == 3 and keyword:match "else" == 5)
assert(keyword:match "ix" == 1 and keyword:match "" == 1 and keyword:match "whale" == 1)
local number = l.P "0x" * l.R("09", "af") ^ 1 + l.R "09" ^ 1 + "-" * l.R "09" ^ 1 + "+"
assert(number:match "0xff" == 5 and number:match "0y" == 2 and number:match "-" == nil and number:match "+" == 2)

-- Grammars.
local balanced = l.P { "(" * ((1 - l.S "()") + l.V(1)) ^ 0 * ")" }
assert(balanced:match "(a(b)c)" == 8 and balanced:match "(a(b)c" == nil)
local even = l.P { "even", even = "a" * l.V "odd" + -1, odd = "a" * l.V "even" }
assert(even:match(string.rep("a", 10000)) == 10001 and even:match "aaa" == nil)
local key = {}
assert(l.P({ [1] = l.V(key) * l.V(true), [key] = l.P "a", [true] = l.P "b" }):match "ab" == 3)
local inner = l.P { l.V "x" * l.V "y", x = l.P "1", y = l.P { "y", y = l.P "2" + "3" * l.V "y" } }
assert(inner:match "1332" == 5)

-- Classes.
local classes = l.locale()
for name, class in pairs(classes) do assert(l.type(class) == "pattern", name) end
local mine = {}
assert(l.locale(mine) == mine and mine.digit:match "5" == 2)
assert((mine.space ^ 6):match " \t\n\v\f\r" == 7)
assert(mine.punct:match "_" == 2 and mine.print:match " " == 2 and mine.graph:match " " == nil)
assert(mine.alpha:match "\233" == nil and mine.cntrl:match "\127" == 2 and mine.xdigit:match "F" == 2)
