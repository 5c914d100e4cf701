-- attack: patterns | analysis | contained: not enough memory / instruction_limit exceeded / result
-- Each replacement makes the string a thousand times longer.
require "string"
function process_message()
    local s = "x"
    while true do s = string.gsub(s, "x", string.rep("x", 1000)) end
end
