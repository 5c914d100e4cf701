-- attack: memory | output | contained: not enough memory / instruction_limit exceeded
-- Userdata for zero-copy reads without end.
local keep = {}
function process_message()
    while true do keep[#keep + 1] = read_message("Fields[number]", 0, 0, true) and read_message("Payload", 0, 0, true) end
end
