-- Forms: holes, types, optional parts, errors.
local string, table = require "string", require "table"

local function show(v)
    if type(v) ~= "table" then return type(v) == "string" and string.format("%q", v) or tostring(v) end
    local parts = {}
    for k, x in pairs(v) do parts[#parts + 1] = tostring(k) .. "=" .. show(x) end
    table.sort(parts)
    return "{" .. table.concat(parts, ",") .. "}"
end

local function same(found, expected, what)
    local f, e = show(found), show(expected)
    if f ~= e then error(string.format("%s:\n found    %s\n expected %s", tostring(what), f, e), 2) end
end

local l    = require "lpeg"
local form = require "lpeg.form"

local function match(text, subject, types)
    return form.grammar({ text }, types):match(subject)
end

local cases = {
    { "plain", "plain", {} },
    { "{a}", "all of it", { a = "all of it" } },
    { "{a}", "", nil },
    { "{a} by {b}", "ann b by by bob", { a = "ann b", b = "by bob" } },
    { "{a} by {b}", "ann by ", nil },
    { "{a}({b})", "(x)", { a = "", b = "x" } },
    { "{a}ab{b}", "aaab!", { a = "aa", b = "!" } },
    { "n={n:int} f={f:float}", "n=-5 f=2.25", { n = -5, f = 2.25 } },
    { "n={n:int}", "n=x", nil },
    { "{a:ip} {b:ip4} {c:ip6}", "::1 192.0.2.1 fe80::",
      { a = { value = "::1", representation = "ipv6" }, b = { value = "192.0.2.1", representation = "ipv4" },
        c = { value = "fe80::", representation = "ipv6" } } },
    { "{a:word} {:word}{:spaces}{b:word}", "x y   z", { a = "x", b = "z" } },
    { "{verb=GET|PUT} {=a|b} {path}", "PUT b /x", { verb = "PUT", path = "/x" } },
    { "{verb=GET|PUT} {=a|b} {path}", "PUT c /x", nil },
    { "x{yes:=true}{kind:=start}", "x", { yes = true, kind = "start" } },
    { "a{? b={b}} c", "a b=1 c", { b = "1" } },
    { "a{? b={b}} c", "a c", {} },
    { "{a}{?, from={b}}", "x, from=y", { a = "x", b = "y" } },
    { "{a}{?, from={b}}", "x", { a = "x" } },
    { "{a}{? [{b}{?:{n:int}}]}!", "x [y:5]!", { a = "x", b = "y", n = 5 } },
    { "{?{n:int} }{a}", "5 x", { n = 5, a = "x" } },
    { "{?{n:int} }{a}", "x", { a = "x" } },
    { "a {*} b{*}", "a anything b and more", {} },
    { "{a:mine}{b}", "xxxy", { a = "xxx", b = "y" }, { mine = l.P"x"^1 } },
    { "{a:int}", "x", { a = "x" }, { int = l.P"x" } },
}
for _, case in ipairs(cases) do same(match(case[1], case[2], case[4]), case[3], case[1] .. " / " .. case[2]) end

same(form.grammar{ "a {x}", "b {y}", "{z}" }:match("b 1"), { y = "1" })
same(form.grammar{ "a {x}", "b {y}", "{z}" }:match("c 1"), { z = "c 1" })
same(form.build("a"):match("abc"), 2, "not bound to the end")
same(l.Ct(form.any{ "{a}" }):match("x"), { a = "x" })

local function fails(text, ...)
    local ok, err = pcall(form.build, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
fails("form: unknown type 'nope'", "{a:nope}")
fails("form: no text between two open holes", "{a}{b}")
fails("form: cannot be parsed: {a", "{a")
fails("form: cannot be parsed", "a}")
fails("form: an optional part must begin with a text", "{?{a}}")
fails("bad argument", nil)

same(#match("{a} by {b}", string.rep("x", 1000000) .. " by y").a, 1000000)
same(match("{a} by {b}", string.rep(" b", 500000)), nil)
