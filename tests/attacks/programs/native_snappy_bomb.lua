-- attack: compression | analysis | contained: not enough memory / instruction_limit exceeded
-- Lengths that the bytes do not have, copies from nowhere, and a text that is copied over and over.
local snappy = require "snappy"
local string, math = require "string", require "math"
local function varint(n) local s = "" while n >= 128 do s = s .. string.char(n % 128 + 128) n = math.floor(n / 128) end return s .. string.char(n) end
local copies = 50000
local bomb = varint(copies * 64 + 1) .. "\0a" .. string.rep("\254\1\0", copies)
function process_message()
    for _, n in ipairs({0, 1, 2^16, 2^24, 2^31, 2^32 - 1, 2^32, 2^35, 2^53}) do
        for _, rest in ipairs({"", "\0a", "\254\1\0", "\0a\254\255\255", "\252\255\255\255\255", "\255\255\255\255\255"}) do
            assert(not pcall(snappy.uncompress, varint(n) .. rest) or n < 3, "HOLE: expanded nothing to something")
            pcall(snappy.validate_compressed_buffer, varint(n) .. rest)
        end
    end
    while true do pcall(snappy.uncompress, bomb) pcall(snappy.compress, bomb) pcall(snappy.validate_compressed_buffer, bomb) end
end
function timer_event() end
