-- attack: patterns | analysis | contained: instruction_limit exceeded / too complex
-- Frontiers and huge sets at every place.
require "string"
function process_message()
    string.find(string.rep("ab", 200000), "%f[" .. string.rep("c", 20000) .. "]x")
    return 0
end
