-- attack: slow instructions | analysis | contained: instruction_limit exceeded
-- Numbers of a million digits.
require "string"
local a, b, c = string.rep("1", 1000000), "0x" .. string.rep("f", 1000000), string.rep(" ", 1000000)
function process_message()
    while true do
        tonumber(a) tonumber(b) tonumber(a, 2) tonumber(c) tonumber("1e" .. a)
        pcall(function() return a + 1 end)
    end
end
