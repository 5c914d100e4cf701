-- attack: payload | analysis | contained: instruction_limit exceeded / output_limit exceeded
-- Catches the overflow and goes on.
require "string"
local s = string.rep("x", 70000)
function process_message()
    while true do pcall(add_to_payload, "x", s, s) end
end
