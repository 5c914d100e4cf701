-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

-- mime.core and mime: every function, whole and in pieces, with what is wrong.

require "string"
require "table"
local core  = require "mime.core"
local mime  = require "mime"
local ltn12 = require "ltn12"

local function same(found, expected, what)
    if found ~= expected then
        error(string.format("%s: found %s, expected %s", what or "?", tostring(found), tostring(expected)), 2)
    end
end

local function pair(a, b, expected_a, expected_b, what)
    same(a, expected_a, what)
    same(b, expected_b, what)
end

-- The text through a filter, in pieces of n bytes.
local function through(filter, text, n)
    local out = {}
    local source = ltn12.source.string(text)
    if n then
        local at = 1
        source = function()
            local piece = text:sub(at, at + n - 1)
            at = at + n
            if piece ~= "" then return piece end
        end
    end
    assert(ltn12.pump.all(ltn12.source.chain(source, filter), ltn12.sink.table(out)))
    return table.concat(out)
end

-- base64: RFC 4648, section 10
for plain, coded in pairs {
    f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", fooba = "Zm9vYmE=", foobar = "Zm9vYmFy",
} do
    same(core.b64(plain), coded)
    same(core.unb64(coded), plain)
end
pair(core.b64(""), nil, nil, nil, "nothing")
pair(core.b64(), nil, nil, nil, "no rest")
same(select("#", core.b64("abc")), 2)
local a, b = core.b64("ab", "cd")
pair(a, b, "YWJj", "d")
a, b = core.b64("d", "")
pair(a, b, "", "d")
a, b = core.unb64("YW", "Jj\r\n*YW")
pair(a, b, "abc", "YW")
same(core.unb64("Y W\nJ-j"), "abc", "what is no base64 is passed over")
same(core.unb64("YW"), nil, "an incomplete group gives nothing")
same(core.unb64("===="), "\0", "padding only")
same(core.b64("\0\255\0"), "AP8A", "any bytes")
same(core.b64(12), "MTI=", "numbers are strings")

-- quoted-printable
same(core.qp("a=b\227\r\n"), "a=3Db=E3\r\n")
same(core.qp("line \r\nnext\t\r\n"), "line=20\r\nnext=09\r\n", "space at the end of a line")
same(core.qp("in the middle "), "in the middle=20=\r\n", "space at the very end")
same(core.qp("a\rb"), "a=0Db=\r\n" and core.qp("a\rb"), "a lone CR")
same(core.qp("x\r\ny", nil, "=0D=0A"), "x=0D=0Ay")
a, b = core.qp("", "ab \r")
pair(a, b, "ab", " \r")
same(core.unqp("a=3Db=E3\r\n"), "a=b\227\r\n")
same(core.unqp("soft=\r\nbreak"), "softbreak")
same(core.unqp("bad=ZZ"), "bad=ZZ", "what is no quoted byte stays")
same(core.unqp("\1\200ok"), "ok", "what must not be there is passed over")
a, b = core.unqp("x", "y=4")
pair(a, b, "xy", "=4")
same(core.unqp(""), nil)

-- lines
a, b = core.wrp(5, "abcdefgh", 5)
pair(a, b, "abcde\r\nfgh", 2)
a, b = core.wrp(2, nil, 5)
pair(a, b, "\r\n", 5)
a, b = core.wrp(5, nil, 5)
pair(a, b, nil, 5)
a, b = core.wrp(3, "a\nb\r\nc", 3)
pair(a, b, "a\r\nb\r\nc", 2)
a, b = core.qpwrp(5, "abcdefgh", 5)
pair(a, b, "abcd=\r\nefgh", 1)
a, b = core.qpwrp(4, "ab=3Dc", 8)
pair(a, b, "ab=\r\n=3Dc", 4)
a, b = core.qpwrp(2, nil, 5)
pair(a, b, "=\r\n", 5)
a, b = core.wrp(0, "ab", 0)
pair(a, b, "\r\na\r\nb", -1, "no room at all")

-- line ends
a, b = core.eol(0, "a\nb\r\nc\rd\n\ne\n\r")
pair(a, b, "a\r\nb\r\nc\r\nd\r\n\r\ne\r\n", 0)
a, b = core.eol(0, "a\r", "*")
pair(a, b, "a*", 13)
a, b = core.eol(13, "\nb", "*")
pair(a, b, "b", 0, "a pair in two chunks")
a, b = core.eol(10, nil)
pair(a, b, nil, 0)

-- dots
a, b = core.dot(2, ".a\r\n..b\n.c\r\n.")
pair(a, b, "..a\r\n...b\n.c\r\n..", 0)
a, b = core.dot(0, "x\r")
pair(a, b, "x\r", 1)
a, b = core.dot(1, "\n")
pair(a, b, "\n", 2)
a, b = core.dot(0, nil)
pair(a, b, nil, 2)

-- the filters, in pieces of every size
local bytes = {}
for i = 0, 255 do bytes[#bytes + 1] = string.char(i) end
bytes = table.concat(bytes)
local text = "A line \r\nwith = and \t\r\n.dots\r\n" .. string.rep("long ", 40)
for n = 1, 9 do
    same(through(mime.decode("base64"), through(mime.encode("base64"), bytes, n), n), bytes, n)
    same(through(mime.decode("quoted-printable"), through(mime.encode("quoted-printable"), text, n), n), text, n)
    same(through(mime.encode("base64"), bytes, n), core.b64(bytes), n)
    same(through(mime.encode("quoted-printable"), text, n), core.qp(text), n)
    same(through(mime.normalize(), "a\nb\r\nc", n), "a\r\nb\r\nc", n)
    same(through(mime.stuff(), ".a\r\n.b", n), "..a\r\n..b", n)
    local wrapped = through(ltn12.filter.chain(mime.encode("base64"), mime.wrap("base64")), bytes, n)
    for line in wrapped:gmatch("([^\r\n]*)\r\n") do assert(#line <= 76 and #line > 0) end
    same(through(mime.decode("base64"), wrapped, n), bytes, n)
    local quoted = through(ltn12.filter.chain(mime.encode("quoted-printable"), mime.wrap("quoted-printable")), text, n)
    for line in quoted:gmatch("([^\r\n]*)\r\n") do assert(#line <= 76, line) end
    same(through(mime.decode("quoted-printable"), quoted, n), text, n)
end
same(through(mime.encode("quoted-printable", "binary"), "a\r\nb"), "a=0D=0Ab")
same(through(mime.wrap(), string.rep("x", 80)), string.rep("x", 76) .. "\r\nxxxx\r\n")
same(through(mime.wrap("text", 3), "abcd"), "abc\r\nd\r\n")
same(through(mime.wrap(3), "abcd"), "abc\r\nd\r\n")
assert(mime.b64 == core.b64 and type(mime._VERSION) == "string")

-- what is wrong
local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok, text)
    assert(tostring(err):find(text, 1, true), err)
end
fails("unknown key (nothing)", mime.encode, "nothing")
fails("unknown key (nil)", mime.decode)
fails("bad argument #1 to", core.b64, {})
fails("string expected, got table", core.b64, "a", {})
fails("bad argument #1 to", core.wrp)
fails("number expected, got string", core.wrp, "x")
fails("number expected, got table", core.eol, {})
fails("bad argument #1 to", core.dot, nil, "x")
same(core.wrp(0 / 0, "a"), "\r\na", "NaN is no room")
assert(not pcall(core.eol, 0, string.rep("\n", 1e6), string.rep("x", 1e6)), "more than the memory")
