-- attack: loops | analysis | contained: instruction_limit exceeded
-- Nothing but short native calls, to starve a hook that counts instructions of Lua only.
require "string"
require "math"
local byte, char, floor, sub = string.byte, string.char, math.floor, string.sub
function process_message()
    while true do
        byte("a") char(65) floor(1.5) sub("abc", 2) rawequal(1, 2) type(1) select("#") tonumber("1")
        rawget(_G, "x") next({}) tostring(1) unpack({}) getmetatable("") pcall(type, 1) ipairs({}) pairs({})
    end
end
