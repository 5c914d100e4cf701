-- attack: memory | analysis | contained: not enough memory
-- One expression that joins hundreds of long strings.
require "string"
function process_message()
    local s = string.rep("x", 500000)
    return s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s..s
end
