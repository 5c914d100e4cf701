-- Escape sequences, read and written.
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

local l  = require "lpeg"
local es = require "lpeg.escape_sequences"

local function all(grammar)
    return l.Cs((grammar + 1)^0)
end

same(all(es.c):match([[a\tb\\\"\x41\x4\101\60\0\377\u00e4\U0001F600\q]]), "a\tb\\\"A\4A0\0\255ä😀\\q")
same(all(es.c):match([[\400\8]]), " 0\\8", "no byte is above 377")
same(all(es.json):match([[\"\\\/\b\f\n\r\t\u0041\ud83d\ude00\u20ac\x]]), "\"\\/\b\f\n\r\tA😀€\\x")
same(all(es.json):match([[\ud83d!\ude00]]), "\239\191\189!\239\191\189", "half a pair is no character")
same(all(es.json):match([[\u12]]), [[\u12]])
same(all(es.percent):match("%41%4a%4A%zz%4+"), "AJJ%zz%4+")
same(all(es.url):match("a+b%20c%2B"), "a b c+")
same(es.percent:match("%00"), "\0")
same(es.c:match("n"), nil)

same(es.hex_to_utf8("41"), "A")
same(es.hex_to_utf8("7ff"), "\223\191")
same(es.hex_to_utf8("800"), "\224\160\128")
same(es.hex_to_utf8("ffff"), "\239\191\191")
same(es.hex_to_utf8("10000"), "\240\144\128\128")
same(es.hex_to_utf8("10ffff"), "\244\143\191\191")
same(es.hex_to_utf8("110000"), "\239\191\189")
same(es.hex_to_utf8("d800"), "\239\191\189")
same(es.hex_to_char("ff"), "\255")
same(es.octal_to_char("377"), "\255")
assert(not pcall(es.hex_to_char, "100"))
assert(not pcall(es.hex_to_char, "x"))
assert(not pcall(es.hex_to_utf8, nil))

same(es.escape_json("a\"b\\c/\0\1\31\127é"), [[a\"b\\c\/\u0000\u0001\u001F]] .. "\127é")
same(es.escape_html("<a href='x'>&\n</a>"), "&lt;a href&equals;&apos;x&apos;&gt;&amp;&#10;&lt;/a&gt;")
same(es.escape_url("a b/ä~_-."), "a%20b%2f%c3%a4~_-.")
same(es.escape_json(12), "12")
same(es.escape_html(nil), "nil")
same(select("#", es.escape_url("a b")), 1, "one result")

-- More characters than are remembered.
for code = 0x4e00, 0x4e00 + 3000 do
    local hex = string.format("%04x", code)
    same(es.json:match("\\u" .. hex), es.hex_to_utf8(hex), hex)
end
same(#all(es.json):match(string.rep("\\n", 200000)), 200000)
same(#es.escape_html(string.rep("<", 200000)), 800000)
