-- Patterns as text.
local re = require "re"
local l = require "lpeg"
local string = require "string"

local function fails(expected, f, ...)
    local ok, text = pcall(f, ...)
    if ok or not string.find(text, expected, 1, true) then
        error("expected '" .. expected .. "', found " .. tostring(ok) .. " '" .. tostring(text) .. "'", 2)
    end
end

assert(re.match("abc", "'ab' .") == 4 and re.match("abc", '"abd" / "abc" !.') == 4)
assert(re.match("hello", "&'he' { . . } ") == "he")
assert(re.match("aaa", "'a'^2") == 3 and re.match("aaa", "'a'^+2") == 4 and re.match("aaa", "'a'^-2") == 3)
assert(re.match("aaaaaaaaaaa", "'a'^11 !.") == 12 and re.match("b", "'a'^0 'b'") == 2)
assert(re.match("x1", "[a-z] [^a-z]") == 3 and re.match("]-", "[]] [-]") == 3 and re.match("a", "[%d%a]") == 2)
assert(re.match("a b\n", "%w %s %a %nl") == 5 and re.match("1", "%D") == nil and re.match("x", "%alnum") == 2)
assert(re.match("ab", "{} 'ab' {}") == 1 and select(2, re.match("ab", "{} 'ab' {}")) == 3)
assert(re.match("ab", "{~ 'a' -> 'x' . ~}") == "xb")
local t = re.match("k=v;", "{| {:key: %a :} '=' {:value: %a :} {';'} |}")
assert(t.key == "k" and t.value == "v" and t[1] == ";")
assert(#re.match("ab", "({.} {.}) -> {}") == 2)
assert(re.match("[[x]]", "'[' {:eq: '='* :} '[' { (!(']' =eq ']') .)* } ']' =eq ']'") == "x")
assert(re.match("'x'", [[ {:q: ['"] :} { (!=q .)* } =q ]]) == "x")
assert(re.match("ab", "({.} {.}) -> 2") == "b" and re.match("ab", "({.} {.}) -> '%2%1'") == "ba")
local upper = { up = string.upper, odd = function(_, i) return i % 2 == 0 end, add = function(a, b) return a + b end, num = tonumber, word = l.R "az" ^ 1 }
assert(re.compile("{%word} -> up", upper):match "abc" == "ABC")
assert(re.compile(". => odd", upper):match "a" == 2 and re.compile(".. => odd", upper):match "ab" == nil)
assert(re.compile("({%d} -> num (',' {%d} -> num)*) ~> add", upper):match "1,2,3" == 6)
local balanced = re.compile [[
    list <- '(' (item / list)* ')'   -- a comment
    item <- [^()]
]]
assert(balanced:match "(a(b)c)" == 8 and balanced:match "(a" == nil)
assert(re.compile "S <- 'a' <S> / !." :match "aaa" == 4)
assert(re.compile(balanced) == balanced)
local first, last = re.find("the number 423 is odd", "[0-9]+")
assert(first == 12 and last == 14 and re.find("none", "[0-9]") == nil)
assert(re.find("a1b2", "%d", 3) == 4)
assert(re.gsub("hello World", "[aeiou]", "*") == "h*ll* W*rld")
assert(re.gsub("hello", "{.}", string.upper) == "HELLO" and re.gsub("ab", "{[a]}", { a = "x" }) == "xb")
re.updatelocale()
assert(re.match("7", "%d") == 2)

fails("pattern error near ')'", re.compile, ")")
fails("pattern error near '$ not a pattern for u...'", re.compile, "'a' $ not a pattern for us")
fails("undefined name: f", re.compile, ". -> f")
fails("name 'what' undefined", re.compile, "%what")
fails("rule 'x' used outside a grammar", re.compile, "x")
fails("'a' already defined as a rule", re.compile, "a <- 'x' a <- 'y'")
fails("undefined in given grammar", re.compile, "a <- b")
fails("may be left recursive", re.compile, "a <- a 'x'")
fails("string expected", re.compile, {})
