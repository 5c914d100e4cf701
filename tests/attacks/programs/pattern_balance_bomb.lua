-- attack: patterns | analysis | contained: instruction_limit exceeded / too complex
-- %b from every place of a string that never balances.
require "string"
function process_message()
    string.find(string.rep("(", 500000), "%b()x")
    return 0
end
