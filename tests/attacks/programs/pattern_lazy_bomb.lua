-- attack: patterns | analysis | contained: instruction_limit exceeded / too complex
-- Lazy repetitions one after another.
require "string"
function process_message()
    string.match(string.rep("a", 5000), ".-.-.-.-.-.-b")
    return 0
end
