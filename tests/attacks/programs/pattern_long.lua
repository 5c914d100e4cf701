-- attack: patterns | analysis | either
-- A pattern of a hundred thousand items must not recurse a hundred thousand times.
require "string"
function process_message()
    pcall(string.find, string.rep("a", 100), string.rep("a?", 100000))
    pcall(string.find, string.rep("a", 100000), string.rep("a", 100000) .. "$")
    pcall(string.find, "a", string.rep("()", 33))
    pcall(string.find, "a", string.rep("(", 100000))
    pcall(string.find, "a", string.rep(")", 100000))
    pcall(string.find, "a", string.rep("[", 100000))
    pcall(string.find, "a", string.rep("[]", 50000))
    return 0
end
