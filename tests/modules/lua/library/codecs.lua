-- What is compressed expands to the same; what is damaged gives an error.
local string = require "string"
local math = require "math"
local table = require "table"
local zlib, snappy, zstd = require "zlib", require "snappy", require "zstd"

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end

local noise = {}
for i = 1, 50000 do noise[i] = string.char(math.random(0, 255)) end
local texts = {"", "a", "a\0b", string.rep("hello world ", 50000), table.concat(noise)}

-- zlib: all wrappers, whole and byte by byte.
for _, text in ipairs(texts) do
    for _, bits in ipairs {15, -15, 31, 9, -9, 8, 25} do
        local packed, ended, n_in, n_out = zlib.deflate(6, bits)(text, "finish")
        assert(ended == true and n_in == #text and n_out == #packed)
        local back, over, in_bytes, out_bytes = zlib.inflate(bits)(packed)
        assert(back == text and over == true and in_bytes == #packed and out_bytes == #text)
    end
end
for level = 0, 9 do
    assert(zlib.inflate()(zlib.deflate(level)(texts[4], "finish")) == texts[4])
end

local packed = zlib.deflate(9, 31)("some text", "finish")
for _, bits in ipairs {31, 47} do
    local stream, parts = zlib.inflate(bits), {}
    for i = 1, #packed do
        local part, ended = stream(string.sub(packed, i, i))
        parts[i] = part
        assert(ended == (i == #packed))
    end
    assert(table.concat(parts) == "some text")
end

-- Known bytes, made by other programs.
local gzip = "\031\139\008\000\000\000\000\000\002\003\203H\205\201\201W\040\207\047\202I\001\000\133\017J\013\011\000\000\000"
local wrapped = "x\156\203H\205\201\201W\040\207\047\202I\001\000\026\011\004\093"
assert(zlib.inflate(31)(gzip) == "hello world" and zlib.inflate()(gzip) == "hello world")
assert(zlib.inflate()(wrapped) == "hello world")

-- A stream says how far it came, and ends once.
local stream = zlib.inflate()
local text, ended, n_in = stream(gzip .. "rest")
assert(text == "hello world" and ended and n_in == #gzip)
fails("IllegalState: calling inflate function when stream was previously closed", stream, "more")
local nothing, closed = stream()
assert(nothing == "" and closed == true)
local deflate = zlib.deflate()
local first = deflate("part one ", "sync")
local second = deflate("part two", "full")
local last, over = deflate()
assert(over == true)
local inflate = zlib.inflate()
assert(inflate(first) == "part one " and inflate(second) == "part two" and inflate(last) == "")
fails("IllegalState: calling deflate function", deflate, "more")
assert(select(2, zlib.deflate()("")) == false and zlib.inflate()("") == "" and zlib.inflate()() == "")

-- Damage.
local damaged = "InvalidInput: input string does not conform to zlib format or checksum failed"
fails(damaged, zlib.inflate(), "no zlib at all")
fails(damaged, zlib.inflate(31), wrapped)
fails(damaged, zlib.inflate(15), gzip)
fails(damaged, zlib.inflate(), string.sub(gzip, 1, -9) .. "\0\0\0\0\11\0\0\0")
local half, finished = zlib.inflate()(string.sub(gzip, 1, 20))
assert(finished == false and string.find("hello world", half, 1, true) == 1)
for _, bits in ipairs {7, 16, -7, -16, 48, 1e9, -1e9} do
    assert(not pcall(zlib.deflate, 6, bits), bits)
end
for _, bits in ipairs {7, -7, -16, 1e9, -1e9} do
    assert(not pcall(zlib.inflate, bits), bits)
end
fails("InternalError", zlib.deflate, 10)
fails("number expected", zlib.deflate, "x")
fails("invalid option 'half'", zlib.deflate(), "x", "half")

-- Checksums.
local crc = zlib.crc32()
local sum, n = crc("123456789")
assert(sum == 0xcbf43926 and n == 9 and zlib.adler32()("Wikipedia") == 0x11e60398)
for _, new in ipairs {zlib.crc32, zlib.adler32} do
    for _, a in ipairs(texts) do
        for _, b in ipairs(texts) do
            local whole, one, two = new(), new(), new()
            local wanted, len = whole(a .. b)
            one(a)
            two(b)
            local found, found_len = one(two)
            assert(found == wanted and found_len == len)
            assert(select(2, one()) == len and one() == wanted)
        end
    end
end
fails("string expected", zlib.crc32(), {})
fails("expected function to return two numbers", zlib.crc32(), function() return "a", "b" end)
local major, minor = zlib.version()
assert(major >= 1 and minor >= 0 and zlib.BEST_SPEED == 1 and zlib.BEST_COMPRESSION == 9)

-- Snappy.
for _, one in ipairs(texts) do
    local bytes = snappy.compress(one)
    assert(snappy.uncompress(bytes) == one and snappy.decompress(bytes) == one and snappy.validate_compressed_buffer(bytes))
end
assert(snappy.uncompress("\5\16hello") == "hello" and snappy.uncompress("\20\16hello\58\5\0") == "hellohellohellohello")
for _, bytes in ipairs {"\5\16hell", "\255\255\255\255\15\0", "\5\1\1", "\255\255\255\255\255\255\255", "\6\16hello"} do
    fails("snappy: ", snappy.uncompress, bytes)
    assert(snappy.validate_compressed_buffer(bytes) == false)
end
fails("string expected", snappy.compress)

-- Zstandard.
for _, one in ipairs(texts) do
    for _, level in ipairs {1, 3, 9, 19} do
        assert(zstd.decompress(zstd.compress(one, level)) == one)
    end
end
local frame = zstd.compress(texts[4])
assert(#frame < 1000 and zstd.decompress(frame .. frame) == texts[4] .. texts[4])
assert(zstd.decompress("") == "" and zstd.decompress(frame, #texts[4]) == texts[4])
fails("zstd: max exceeded", zstd.decompress, frame, #texts[4] - 1)
fails("zstd: unexpected end of input", zstd.decompress, string.sub(frame, 1, -2))
fails("zstd: ", zstd.decompress, "no frame")
fails("zstd: ", zstd.decompress, string.sub(frame, 1, -2) .. "\0")
fails("level must be between 1 and 19", zstd.compress, "x", 20)
fails("level must be between 1 and 19", zstd.compress, "x", 0)
fails("max must not be negative", zstd.decompress, frame, -1)
assert(string.find(zstd.version(), "^%d+%.%d+%.%d+$"))
