-- attack: patterns | analysis | contained: instruction_limit exceeded / too complex
-- a?a?a?...aaa: twice the work for each letter.
require "string"
function process_message()
    local n = 40
    string.find(string.rep("a", n), string.rep("a?", n) .. string.rep("a", n) .. "b")
    return 0
end
