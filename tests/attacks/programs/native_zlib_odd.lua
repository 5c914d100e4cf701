-- attack: compression | output | either
-- Wrong levels, windows and flushes, garbage, and streams used after their end.
local zlib = require "zlib"
local string, math = require "string", require "math"
local odd = {-2, -1, 0, 1, 8, 9, 10, 15, 16, 24, 31, 32, 47, 48, 1e9, -1e9, 2^31, 2^63, 0/0, 1/0, -1/0, 0.5, "x", "9", {}, true, print}
function process_message()
    for _, a in ipairs(odd) do
        local ok, f = pcall(zlib.inflate, a)
        if ok then pcall(f, "\120\156\1") pcall(f, string.rep("\255", 100)) pcall(f) pcall(f, a) end
        for _, b in ipairs(odd) do
            local made, g = pcall(zlib.deflate, a, b)
            if made then pcall(g, "text", "sync") pcall(g, "text", a) pcall(g) pcall(g, "more") pcall(g, "more", "finish") pcall(g, a, b) end
        end
        pcall(zlib.crc32(), a) pcall(zlib.adler32(), a) pcall(zlib.crc32(), zlib.adler32()) pcall(zlib.crc32, a)
    end
    local crc = zlib.crc32()
    pcall(crc, crc)
    local packed = zlib.deflate(9)(string.rep("abc", 1000), "finish")
    for _ = 1, 300 do
        local at = math.random(#packed)
        local ok, text = pcall(zlib.inflate(), string.sub(packed, 1, at - 1) .. string.char(math.random(0, 255)) .. string.sub(packed, at + 1))
        assert(not ok or text == nil or #text <= 200000, "HOLE: " .. #text .. " bytes")
    end
    return 0
end
