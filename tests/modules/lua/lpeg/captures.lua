-- What captures make of a match.
local l = require "lpeg"
local table, string = require "table", require "string"
local C, Cc, Cf, Cg, Cs, Ct, Cb, Cp, Carg, Cmt, P, R, S = l.C, l.Cc, l.Cf, l.Cg, l.Cs, l.Ct, l.Cb, l.Cp, l.Carg, l.Cmt, l.P, l.R, l.S

local function list(...)
    local parts = {}
    for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
    return table.concat(parts, " ")
end

local function check(expected, ...)
    local found = list(...)
    if found ~= expected then error("expected '" .. expected .. "', found '" .. found .. "'", 2) end
end

-- Simple ones: the outer comes first.
check("ab a b", C(C "a" * C "b"):match "ab")
check("a  b", (C "a" * C "" * C "b"):match "ab")
check("x\0y", C "x\0y":match "x\0y")
check("1 3 3", (Cp() * "ab" * Cp() * -1 * Cp()):match "ab")
check("3", P "ab":match "ab")

-- Constants and arguments.
check("1 nil true x 3", (Cc(1, nil, true) * Cc "x" * P "ab" * Cp()):match "ab")
check("1", (Cc() * P ""):match "")
check("b c", (Carg(2) * Carg(3)):match("", 1, "a", "b", "c"))
local object = {}
assert(Cc(object):match "" == object and Cc(print):match "" == print)

-- Functions, and what they return.
check("6", (C(R "09" ^ 1) / tonumber * "," * (C(R "09" ^ 1) / tonumber) / function(a, b) return a + b end):match "1,5" or 6)
check("1 2 3", (P "a" / function() return 1, 2, 3 end):match "a")
check("2", (P "a" / function() end):match "a")
check("a", (P "a" / function(whole, ...) assert(select("#", ...) == 0) return whole end):match "a")
check("nil x", (P "a" / function() return nil, "x" end):match "a")

-- Numbers and tables.
check("b", (C "a" * C "b" / 2):match "ab" == "b" and "b")
check("3", (C "a" * (C "b" / 0)):match "ab" == "a" and 3)
check("B", (P "b" / { b = "B" }):match "b")
check("2", (P "c" / { b = "B" }):match "c")
check("false", (P "b" / { b = false }):match "b")
check("seen b", (P "b" / setmetatable({}, { __index = function(_, key) return "seen " .. key end })):match "b")

-- Strings.
check("[a|b|ab]", ((C "a" * C "b") / "[%1|%2|%0]"):match "ab")
check("%a-", (C "a" / "%%%1%-"):match "a")
check("abcdefghi", (C(1) * C(1) * C(1) * C(1) * C(1) * C(1) * C(1) * C(1) * C(1) * C(1) / "%1%2%3%4%5%6%7%8%9"):match "abcdefghij")
check("12", ((P "a" / function() return 12 end) / "%1"):match "a")
check("<a b>", (C(C "a" * " " * C "b") / "<%1>"):match "a b")

-- Substitution.
check("hello [world]", Cs((C(P "world") / "[%1]" + 1) ^ 0):match "hello world")
check("ab", Cs(P "a" * (P "b" / function() end)):match "ab")
check("aXc", Cs(P(1) * (P "b" / "X") * 1):match "abc")
check("((a))", Cs(Cs(Cs(P "a" / "(%0)") / "(%1)")):match "a")
check("a1b", Cs("a" * (P "x" / function() return 1 end) * "b"):match "axb")
check("yzx", Cs((P "x" / "y" + P "y" / "z" + P "z" / "x") ^ 0):match "xyz")

-- Tables and groups.
local t = Ct(Cg(C "a", "first") * Cg("b", "second") * C "c" * Cg(C "d" * C "e") * Cp() * Cg(Cc(1, 2), "both")):match "abcde"
assert(t.first == "a" and t.second == "b" and #t == 4)
check("c d e 6", unpack(t))
assert(t.both == 1)
assert(next(Ct "":match "") == nil and next(Ct(P "a"):match "a") == nil)
local nested = Ct(Cg(Ct(Cg(C "x", "v") * Cg(Cc "B", "representation")), "field") * Ct(C "y" * Ct "")):match "xy"
assert(nested.field.v == "x" and nested.field.representation == "B" and nested[1][1] == "y" and #nested[1][2] == 0)
check("a", Cg(C "a"):match "a")
check("2", Cg(C "a", "name"):match "a")
assert(Ct(Cg("a", 1) * Cg("b", true)):match "ab"[1] == "a")
local many = Ct(C(1) ^ 0):match(string.rep("x", 5000))
assert(#many == 5000 and many[5000] == "x")

-- Folding.
check("10", Cf(C(R "09" ^ 1) / tonumber * ("," * C(R "09" ^ 1) / tonumber) ^ 0, function(a, b) return a + b end):match "1,2,3,4")
local pairs_of = Cf(Ct "" * Cg(C(R "az" ^ 1) * "=" * C(R "az" ^ 1) * S "," ^ -1) ^ 0, rawset):match "a=b,c=d"
assert(pairs_of.a == "b" and pairs_of.c == "d")
check("5", Cf(Cc(5), function() error "not called" end):match "")

-- Back references.
check("a b a", (Cg(C "a", "x") * Cb "x" * C "b" * Cb "x"):match "ab")
check("new", (Cg(Cc "old", "x") * Cg(Cc "new", "x") * Cb "x"):match "")
check("in", Ct(Cg(Cc "in", "x") * Cb "x"):match ""[1])
check("1 2", (Cg(Cc(1, 2), object) * Cb(object)):match "")
local long = P { "[" * Cg(P "=" ^ 0, "init") * "[" * C((1 - Cmt("]" * C(P "=" ^ 0) * "]" * Cb "init", function(_, _, a, b) return a == b end)) ^ 0) * "]" * P "=" ^ 0 * "]" }
check("]]x", (long / 1):match "[==[]]x]==]")

-- During the match.
check("4", Cmt(P "abc", function(s, i) assert(s == "abc" and i == 4) return true end):match "abc")
check("nil", Cmt(P "abc", function() return false end):match "abc")
check("nil", Cmt(P "abc", function() end):match "abc")
check("6", Cmt(P "abc", function(_, i) return i + 2 end):match "abcde")
check("6", Cmt(P "abc", function() return "6" end):match "abcde")
check("x nil y", Cmt(P "abc", function() return true, "x", nil, "y" end):match "abc")
check("a b", Cmt(C "a" * C "b", function(_, _, ...) return true, ... end):match "ab")
check("B", ((Cmt("a", function() return true, "A" end) * "x") + Cmt("a", function() return true, "B" end)):match "ab")
assert(#Ct(Cmt(1, function(_, _, c) return true, c end) ^ 0):match(string.rep("a", 500)) == 500)
check("xyb\98+\68y", Cmt(Cs((Cmt(S "abc" / { a = "x", c = "y" }, function(_, _, ...) return true, ... end) + R "09" ^ 1 / string.char + 1) ^ 0), function(_, _, ...) return true, ... end):match "acb98+68c")
local calls = 0
check("2", (Cmt("a", function() calls = calls + 1 return true end) * "c" + P "a"):match "ab")
assert(calls == 1)
-- Predicates keep nothing, but their functions are called.
check("a", (#C "a" * C "a"):match "a")
check("2", (-C "b" * P "a"):match "a")
assert((#Cmt("a", function() calls = calls + 1 return true, 1 end) * P "a"):match "a" == 2 and calls == 2)

-- A pattern that matches with itself, and matches within captures.
local rec
rec = P "(" * C((1 - S "()") ^ 0) * P ")" / function(text) return text, (rec:match("(" .. text:sub(2) .. ")", 1)) end
local words = Ct((C(R "az" ^ 1) / function(word) return Ct(C(1) ^ 0):match(word) end * S " " ^ 0) ^ 0):match "ab cde"
assert(#words == 2 and words[2][3] == "e")

-- `tonumber` itself, whose work is done without calling it where that makes no difference.
local numeral = C((1 - S " ") ^ 1) / tonumber
check("0 7 123456789012 16 1.5 100000", (numeral * " " * (numeral * " ") ^ 0 * numeral):match "0 007 123456789012 0x10 1.5 1e5")
assert((P "9007199254740993" / tonumber):match "9007199254740993" == 9007199254740992)
check("nil", (P "" / tonumber):match "x")
check("5", (C "10" * Cc(5) / tonumber):match "10")
check("2", Cs(P "02" / tonumber):match "02")
