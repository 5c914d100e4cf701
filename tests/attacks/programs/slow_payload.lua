-- attack: slow instructions | analysis | contained: instruction_limit exceeded / output_limit exceeded / injection limit
-- Fills and empties the output buffer.
require "string"
local s = string.rep("x", 60000)
function process_message()
    while true do
        pcall(add_to_payload, s)
        pcall(inject_payload, "txt", "x")
    end
end
