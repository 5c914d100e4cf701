-- attack: slow instructions | analysis | contained: instruction_limit exceeded / not enough memory
-- Substrings of a megabyte, each of which is a new string to be hashed and copied.
require "string"
local s = string.rep("xy", 50000)
function process_message()
    while true do
        for i = 1, 1000 do local x = string.sub(s, i) end
    end
end
