-- attack: patterns | analysis | contained: instruction_limit exceeded / too complex
-- Single-letter repetitions with a capture over millions of letters: deep recursion in others.
require "string"
function process_message()
    local s = string.rep("x", 1000000)
    for _ = 1, 1000 do
        string.match(s, "^(.-)%s*$")
        string.gsub(s, "^%s*(.-)%s*$", "%1")
    end
    return 0
end
