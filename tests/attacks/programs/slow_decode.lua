-- attack: slow instructions | analysis | contained: instruction_limit exceeded / not enough memory / invalid
-- Decodes a message of ten thousand fields again and again, and reads its last field.
require "string"
local m = "\10\16" .. string.rep("u", 16) .. "\16\1" .. string.rep("\82\2\10\0", 10000)
function process_message()
    while true do
        pcall(decode_message, m)
    end
end
