-- attack: patterns | analysis | contained: instruction_limit exceeded / too complex
-- Captures that are referred to again and again.
require "string"
function process_message()
    string.find(string.rep("a", 20000), "(a*)(a*)%1%2%1%2(a*)%3b")
    return 0
end
