-- attack: compression | analysis | contained: not enough memory / instruction_limit exceeded
-- A few kilobytes that expand to many megabytes, in one piece and byte by byte.
local zlib = require "zlib"
local string = require "string"
local function bomb(bits, n)
    local deflate = zlib.deflate(9, bits)
    local out = ""
    for _ = 1, n do out = out .. deflate(string.rep("\0", 500000)) end
    return out .. deflate("", "finish")
end
function process_message()
    for _, bits in ipairs({15, -15, 31}) do
        local packed = bomb(bits, 40)
        pcall(zlib.inflate(bits), packed)
        local inflate = zlib.inflate(bits)
        for i = 1, #packed do pcall(inflate, string.sub(packed, i, i)) end
    end
    local packed = bomb(31, 40)
    while true do pcall(zlib.inflate(), packed) end
end
function timer_event() end
