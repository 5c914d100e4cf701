-- kind: analysis
-- The hashes are the ones that plugins have kept in files and keys.
local string = require "string"
require "xxhash"

assert(xxhash.h32("foobar") == 3986901679 and xxhash.h32("foobar", 0) == 3986901679 and xxhash.h32("foobar", 1) == 366339015)
assert(xxhash.h32(123) == 1710687148 and xxhash.h32(123, 1) == 1102037802 and xxhash.h32(123, 4.2e9) == 545974333)
assert(xxhash.h64("foobar") == 11721187498075203584 and xxhash.h64("foobar", 1) == 17884410770440888320)
assert(xxhash.h64(123) == 1712328529600727296 and xxhash.h64(123, 1.84e19) == 6456655639160719360)
assert(xxhash.h32("") == 0x02cc5d05 and xxhash.h32("a\0b") ~= xxhash.h32("a") and xxhash.h64("", 0) == 0xef46db3751d8e999)
assert(xxhash.h32(string.rep("x", 1e6)) == xxhash.h32(string.rep("x", 1e6)) and type(xxhash.version()) == "string")

local function fails(text, f)
    local ok, err = pcall(f)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
fails("bad argument #1 to 'h32' (string or number expected, got no value)", function() xxhash.h32() end)
fails("bad argument #1 to 'h64' (string or number expected, got nil)", function() xxhash.h64(nil) end)
fails("string or number expected, got table", function() xxhash.h64({}) end)
fails("seed must be an unsigned int", function() xxhash.h32("foo", -1) end)
fails("seed must be an unsigned int", function() xxhash.h32("foo", 4.3e9) end)
fails("seed must be an unsigned long long", function() xxhash.h64("foo", 1.85e19) end)
fails("seed must be an unsigned long long", function() xxhash.h64("foo", 0 / 0) end)
fails("bad argument #2 to 'h32' (number expected, got string)", function() xxhash.h32("foo", "a") end)
