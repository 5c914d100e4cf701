-- kind: analysis
-- Values as bytes, and back.
local string = require "string"
require "struct"

local function hex(bytes)
    return (string.gsub(bytes, ".", function(c) return string.format("%02x", string.byte(c)) end))
end

local function packs(wanted, ...)
    local found = hex(struct.pack(...))
    assert(found == wanted, found .. " is not " .. wanted)
end

packs("0102", "bb", 1, 2)
packs("ff00", "bB", -1, 256)
packs("3412", "<h", 0x1234)
packs("1234", ">H", 0x1234)
packs("78563412", "<i", 0x12345678)
packs("123456", ">I3", 0x123456)
packs("feffff", "<i3", -2)
packs("00000000000000010000000000000002", ">lT", 1, 2)
packs("00000001", ">i04", 1)
packs("0000803f", "<f", 1)
packs("3ff0000000000000", ">d", 1)
packs("61626300", "s", "abc")
packs("616263", "c0", "abc")
packs("6162", "c2", "abc")
packs("61", "c", "abc")
packs("610062", "c0", "a\0b")
packs("0100ff", "bxb", 1, -1)
packs("01000000020000000300", "<!4 bi4h", 1, 2, 3)
packs("0100020003", "<!2 bi2b", 1, 2, 3)
packs("01000000000000000200000000000000", "<! bl", 1, 2)
packs("01", "b\0b", 1, 2)
packs("", "")
packs("ffffffffffffffff", "L", 2 ^ 64)
packs("0000000000000080", "<l", -2 ^ 70)
packs("0000000000000000", "l", 0 / 0)

local function unpacks(wanted, ...)
    local found = {struct.unpack(...)}
    assert(#found == #wanted, #found)
    for i, value in ipairs(wanted) do assert(found[i] == value, tostring(found[i])) end
end

unpacks({1, -1, 255, 4}, "bbB", "\1\255\255")
unpacks({0x1234, 3}, ">h", "\18\52")
unpacks({-2, 4}, "<i3", "\254\255\255")
unpacks({16777214, 4}, "<I3", "\254\255\255")
unpacks({-1, 18446744073709551615, 17}, "lL", string.rep("\255", 16))
unpacks({1, 2, 9}, "<!4 bi4", "\1\0\0\0\2\0\0\0")
unpacks({1.5, -2.25, 13}, "<fd", struct.pack("<fd", 1.5, -2.25))
unpacks({"abc", 7, 6}, "sb", "abc\0\7")
unpacks({"hello", 7}, "bc0", "\5hello!")
unpacks({"he", 3}, "c2", "hello")
unpacks({"l", 4}, "c", "hello", 3)
unpacks({1}, "", "")
unpacks({2, 3}, "xb", "\1\2")
unpacks({5, 33}, "<i32", "\5" .. string.rep("\0", 31))
unpacks({"", 2}, "bc0", "\0")
for _, value in ipairs {0, 1, -1, 127, -128, 32767, -32768, 2147483647, -2147483648, 2 ^ 53, -2 ^ 53} do
    unpacks({value, 9}, "<l", struct.pack("<l", value))
    unpacks({value, 9}, ">i8", struct.pack(">i8", value))
end
assert(struct.size("bi4") == 5 and struct.size("!4bi4") == 8 and struct.size("c10xd") == 19 and struct.size("") == 0)

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
fails("string expected", struct.pack)
fails("number expected, got no value", struct.pack, "i")
fails("number expected, got string", struct.pack, "i", "x")
fails("string too short", struct.pack, "c4", "abc")
fails("invalid format option 'z'", struct.pack, "z", 1)
fails("integral size 33 is larger than limit of 32", struct.pack, "i33", 1)
fails("integral size overflow", struct.pack, "i99999999999", 1)
fails("alignment 3 is not a power of 2", struct.pack, "!3i", 1)
fails("alignment 0 is not a power of 2", struct.size, "!0i")
fails("data string too short", struct.unpack, "i", "abc")
fails("data string too short", struct.unpack, "b", "abc", 4)
fails("data string too short", struct.unpack, "b", "abc", 1e300)
fails("data string too short", struct.unpack, "c2147483647", "abc")
fails("data string too short", struct.unpack, "bc0", "\5abc")
fails("data string too short", struct.unpack, "bc0", "\255abc")
fails("offset must be 1 or greater", struct.unpack, "b", "abc", 0)
fails("format 'c0' needs a previous size", struct.unpack, "c0", "abc")
fails("format 'c0' needs a previous size", struct.unpack, "sc0", "abc\0x")
fails("unfinished string in data", struct.unpack, "s", "abc")
fails("option 's' has no fixed size", struct.size, "s")
fails("option 'c0' has no fixed size", struct.size, "c0")
-- More results than fit on a stack.
assert(not pcall(struct.unpack, string.rep("b", 1e6), string.rep("\1", 1e6)))
