-- attack: library | analysis | either
-- Formats with absurd counts, sizes and alignments.
local struct = require "struct"
local string = require "string"
local formats = {"i33", "i0", "I32", "i99999999999999999999", "c2147483647", "c4294967296", "c99999999999999999999", "c1e9", "!3", "!0", "!99999999999", "!1073741824i4", "!2147483648", "!", "!!", "<>=", string.rep("c2147483647", 100), string.rep("x", 100000), string.rep("b", 100000), "c0", "bc0", "dc0", "ic0", "s", "ss", "x" .. string.rep("i32", 1000), "\0", "c-1", string.rep("9", 1000), "c" .. string.rep("9", 10000)}
local odd = {0/0, 1/0, -1/0, 1e300, 2^63, 2^64, -2^63, -1, "", "x", {}, print}
function process_message()
    for _, format in ipairs(formats) do
        pcall(struct.size, format) pcall(struct.pack, format) pcall(struct.unpack, format, "") pcall(struct.unpack, format, string.rep("\255", 100))
        for _, v in ipairs(odd) do pcall(struct.pack, format, v, v, v) pcall(struct.unpack, format, "\1\2\3\4", v) end
    end
    local ok, text = pcall(struct.unpack, "c100", "short")
    assert(not ok, "HOLE: read behind the text")
    for _, at in ipairs({0, -1, 5, 6, 7, 1e18, 2^32 + 1, 2^63, 0/0, 1/0}) do
        ok, text = pcall(struct.unpack, "c0", "abcde", at)
        ok, text = pcall(struct.unpack, "b", "abcde", at)
        assert(not ok or (text >= 97 and text <= 101), "HOLE: read behind the text")
    end
    ok, text = pcall(struct.unpack, "dc0", struct.pack("d", -1) .. "x") assert(not ok, "HOLE: a negative length")
    pcall(struct.unpack, "dc0", struct.pack("d", 0/0) .. "x") pcall(struct.unpack, "dc0", struct.pack("d", 1e300) .. "x")
    pcall(struct.unpack, string.rep("b", 100000), string.rep("x", 100000))
    return 0
end
function timer_event() end
