-- attack: library bombs | analysis | contained: not enough memory / instruction_limit exceeded / result
-- string.rep of more than there is.
require "string"
function process_message()
    pcall(string.rep, "", 1e18)
    pcall(string.rep, "", 2^31 - 1)
    pcall(string.rep, "x", -1e18)
    pcall(string.rep, "x", 1e18)
    pcall(string.rep, string.rep("x", 1000), 2^53)
    pcall(string.rep, "x", 1e9, "sep")
    pcall(string.rep, "", 1e9, "s")
    string.rep("x", 1e10)
    return 0
end
