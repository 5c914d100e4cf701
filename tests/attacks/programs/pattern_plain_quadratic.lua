-- attack: patterns | analysis | contained: instruction_limit exceeded
-- A plain search, with no pattern at all, for a needle that nearly matches everywhere.
require "string"
function process_message()
    local hay = string.rep("a", 3000000)
    local needle = string.rep("a", 100000) .. "b"
    for _ = 1, 100 do string.find(hay, needle, 1, true) end
    for _ = 1, 100 do string.find(hay, needle) end
    return 0
end
