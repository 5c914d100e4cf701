-- Grammars from format strings.
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

local l      = require "lpeg"
local printf = require "lpeg.printf"

local cases = {
    { { "%s:%lu: invalid line", "path", "line" }, "/tmp/a b:23: invalid line", { path = "/tmp/a b", line = 23 } },
    { { "%d items", "n" }, "-5 items \n", { n = -5 } },
    { { "%d items", "n" }, "x items", nil },
    { { "%u%%", "n" }, "50%", { n = 50 } },
    { { "0%o %#x %X", "a", "b", "c" }, "0755 0x1f FF", { a = 493, b = 31, c = 255 } },
    { { "%f %e %g %a", "a", "b", "c", "d" }, "1.5 -2.5e+03 inf 0x1p+4", { a = 1.5, b = -2500, c = 1 / 0, d = 16 } },
    { { "%c%c %p", "a", "b", "p" }, "xy (nil)", { a = "x", b = "y", p = "(nil)" } },
    { { "%zu %lld %hhd %jd", "a", "b", "c", "d" }, "1 2 3 4", { a = 1, b = 2, c = 3, d = 4 } },
    { { "% d|%+d", "a", "b" }, " 5|+5", { a = 5, b = 5 } },
    { { "[%8s] [%-8s]", "a", "b" }, "[    left] [right   ]", { a = "left", b = "right" } },
    { { "%-4d%-6x%s", "a", "b", "c" }, "12  1f    end", { a = 12, b = 31, c = "end" } },
    { { "%-4dx", "a" }, "123456x", { a = 123456 } },
    { { "%-5s %s", "a", "b" }, "ab    cd", { a = "ab", b = "cd" } },
    { { "%*d.%s", "width", "a", "b" }, "  12.x", { a = 12, b = "x" } },
    { { "%.3s%.3s", "a", "b" }, "abcdef", { a = "abc", b = "def" } },
    { { "%.3s", "a" }, "abcd", nil },
    { { "%.100s failed: %.100s", "a", "b" }, "open failed: No such file", { a = "open", b = "No such file" } },
    { { "%s", "a" }, "  spaces around  ", { a = "spaces around" } },
    { { "\\\"%s\\\"\\t%s", "a", "b" }, "\"q\"\tt", { a = "q", b = "t" } },
    { { "%s said '%s'", "a", "b" }, "ann said 'it's'", { a = "ann", b = "it's" } },
    { { "%s %s", "@{:a: 'x' / 'y' :}", "b" }, "y z", { a = "y", b = "z" } },
    { { "%s %s", "@{:a: 'x' / 'y' :}", "b" }, "q z", nil },
    { { "%s%s", l.Cg(l.R"09"^1, "a"), "b" }, "12cd", { a = "12", b = "cd" } },
    { { "%n%s", "n", "a" }, "x", { a = "x" } },
    { { "%.0d|", "a" }, "|", {} },
    { { "no conversion" }, "no conversion", {} },
    { { "%-99999999s|", "a" }, "x|", { a = "x" } },
    { { "%.99999999s|", "a" }, "x|", { a = "x" } },
}
for _, case in ipairs(cases) do same(printf.build_grammar(case[1]):match(case[2]), case[3], case[1][1]) end

local function fails(expected, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok)
    same(err, expected)
end
fails("printf format must be a string", printf.build_grammar, {})
fails("printf format must be a string", printf.build_grammar, { 5 })
fails("could not parse the printf format string: %k", printf.build_grammar, { "%k" })
fails("could not parse the printf format string: a%", printf.build_grammar, { "a%" })
fails("could not parse the printf format string: ", printf.build_grammar, { "" })
fails("fmt: '%s %d' arg: 2 error: 'invalid type'", printf.build_grammar, { "%s %d", "a" })
fails("fmt: '%s' arg: 1 error: 'invalid type'", printf.build_grammar, { "%s", true })
assert(not pcall(printf.build_grammar, { "%s", "@{:a" }))
assert(not pcall(printf.build_grammar, nil))

local grammars = printf.load_messages{ { "%s %s", "a", "b" }, { "%s at %s: %d", "a", "b", "n" }, { "%s %s", "c", "d" } }
same(#grammars, 3)
same({ grammars[1][2], grammars[2][2], grammars[3][2] }, { 3, 4, 3 })
assert(printf.match_sample(grammars, "x y") == grammars[1][1], "the first of those of one weight")
assert(printf.match_sample(grammars, "x at y: 5") == grammars[2][1], "the heaviest")
same(printf.match_sample(grammars, ""), nil)
same(printf.match_sample({}, "x"), nil)
assert(printf.load_messages({ { "%d", "n" } }, grammars, 3) == grammars)
same(#grammars, 4)
same(printf.load_messages({}), {})
fails("module: <root> item: 1 error: printf format must be a string", printf.load_messages, { {} })
fails("module: here item: 2 error: fmt: '%s' arg: 1 error: 'invalid type'", printf.load_messages,
    { { "a" }, { "%s" } }, nil, nil, "here")
fails("module: lpeg.logfmt does not contain a 'printf_messages' array", printf.load_messages, { "lpeg.logfmt" })
-- What comes behind a module does not take the places of its messages.
local with_module = printf.load_messages{ "lpeg.openssh_portable", { "%d last", "n" } }
same(with_module[#with_module][1]:match("5 last"), { n = 5 })
assert(#with_module > 190)

local two = printf.build_grammar{ "%s by %s", "a", "b" }
same(#two:match(string.rep("x", 500000) .. " by y").a, 500000)
same(two:match(string.rep(" b", 500000)), nil)
same(two:match("a\0b by c"), { a = "a\0b", b = "c" })
