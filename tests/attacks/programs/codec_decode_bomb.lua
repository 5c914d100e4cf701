-- attack: codecs | analysis | contained: not enough memory / instruction_limit exceeded / invalid
-- A megabyte of empty fields becomes half a million tables.
require "string"
function process_message()
    local bomb = "\10\16" .. string.rep("u", 16) .. "\16\1" .. string.rep("\82\2\10\0", 250000)
    decode_message(bomb)
    while true do decode_message(bomb) end
end
