-- kind: analysis
-- bit is LuaJIT's; bit32 is Lua 5.2's.
local string = require "string"
require "bit"
require "bit32"

local function fails(text, f, ...)
    local args, n = {...}, select("#", ...)
    local ok, err = pcall(function() f(unpack(args, 1, n)) end)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end

assert(bit.band(0x12345678, 0xff) == 0x78 and bit.bor(1, 2, 4) == 7 and bit.bxor(0xa5a5f0f0, 0xaa55ff00) == 0x0ff00ff0)
assert(bit.lshift(1, 31) == -2147483648 and bit.rshift(-256, 8) == 16777215 and bit.arshift(-256, 8) == -1)
assert(bit.tohex(0xffff, 4) == "ffff" and bit.bswap(0x12345678) == 0x78563412 and bit.rol(0x12345678, 12) == 0x45678123)
assert(bit.tobit(0xffffffff) == -1 and bit.bnot(0) == -1 and bit.ror(0x12345678, 12) == 0x67812345)

assert(bit32.band() == 0xffffffff and bit32.bor() == 0 and bit32.bxor() == 0 and bit32.btest() == true)
assert(bit32.band(0xf0f0, 0xff00) == 0xf000 and bit32.bor(0xf0, 0x0f) == 0xff and bit32.bxor(5, 3, 1) == 7)
assert(bit32.btest(1, 2) == false and bit32.btest(3, 2) and bit32.bnot(0) == 0xffffffff)
assert(bit32.band(-1) == 0xffffffff and bit32.band(2 ^ 32 + 5) == 5 and bit32.band(-2 ^ 40 + 1) == 1 and bit32.band(1.9) == 1)
assert(bit32.band(0 / 0) == 0 and bit32.band(1 / 0) == 0 and bit32.band("7") == 7)
assert(bit32.lshift(1, 31) == 2 ^ 31 and bit32.lshift(1, 32) == 0 and bit32.lshift(2, -1) == 1 and bit32.lshift(1, 1e18) == 0)
assert(bit32.rshift(0x80000000, 31) == 1 and bit32.rshift(1, -31) == 0x80000000 and bit32.rshift(1, -32) == 0)
assert(bit32.arshift(0x80000000, 1) == 0xc0000000 and bit32.arshift(0x80000000, 100) == 0xffffffff)
assert(bit32.arshift(1, -4) == 16 and bit32.arshift(0x7fffffff, 31) == 0)
assert(bit32.lrotate(0x12345678, 4) == 0x23456781 and bit32.rrotate(0x12345678, 4) == 0x81234567)
assert(bit32.lrotate(1, -1) == 0x80000000 and bit32.lrotate(1, 65) == 2)
assert(bit32.extract(0x12345678, 0, 4) == 8 and bit32.extract(0x12345678, 28, 4) == 1 and bit32.extract(5, 2) == 1)
assert(bit32.extract(0xffffffff, 0, 32) == 0xffffffff and bit32.replace(0, 0xff, 4, 4) == 0xf0 and bit32.replace(0xffffffff, 0, 31) == 0x7fffffff)
assert(bit32.replace(1, 0x12345678, 0, 32) == 0x12345678)

fails("bad argument #1 to 'bnot' (number expected, got no value)", function() bit32.bnot() end)
fails("number expected, got table", bit32.band, 1, {})
fails("field cannot be negative", bit32.extract, 1, -1)
fails("width must be positive", bit32.extract, 1, 0, 0)
fails("trying to access non-existent bits", bit32.extract, 1, 31, 2)
fails("trying to access non-existent bits", bit32.replace, 1, 1, 32)
fails("trying to access non-existent bits", bit32.replace, 1, 1, 1e18, 1e18)
