-- attack: patterns | analysis | contained: not enough memory / instruction_limit exceeded / result
-- A big replacement at every empty match of a big string: a thousand million bytes from two small ones.
require "string"
function process_message()
    local big = string.rep("y", 100000)
    string.gsub(string.rep("x", 100000), "", big)
    string.gsub(string.rep("x", 100000), ".", "%0" .. string.rep("%0", 1000) .. big)
    return 0
end
