-- attack: compression | output | contained: not enough memory / instruction_limit exceeded
-- Streams hold their windows outside of Lua's heap: those must count as well.
local zlib = require "zlib"
local keep = {}
function process_message()
    while true do
        keep[#keep + 1] = zlib.deflate(9, 31)
        keep[#keep + 1] = zlib.inflate()
        keep[#keep]("\31\139\8\0\0\0\0\0\0\0")
    end
end
