-- attack: patterns | analysis | contained: instruction_limit exceeded / too complex
-- Greedy repetitions one after another, in each of the functions that take patterns.
require "string"
local subject, pattern = string.rep("a", 2000), string.rep("a*", 20) .. "b"
function process_message()
    pcall(string.match, subject, pattern)
    pcall(string.find, subject, pattern)
    pcall(string.gsub, subject, pattern, "")
    pcall(function() for _ in string.gmatch(subject, pattern) do end end)
    return 0
end
