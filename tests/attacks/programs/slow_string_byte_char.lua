-- attack: slow instructions | analysis | contained: instruction_limit exceeded / string slice too long / too many
-- Thousands of results and arguments at each call.
require "string"
local s = string.rep("x", 7000)
function process_message()
    while true do string.char(string.byte(s, 1, -1)) end
end
