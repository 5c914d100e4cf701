-- attack: slow instructions | analysis | contained: instruction_limit exceeded / not enough memory
-- Each instruction copies two megabytes: a limit on instructions alone would allow minutes.
require "string"
local s = string.rep("x", 200000)
function process_message()
    local i = 0
    while true do
        i = i + 1
        local x = s .. i
    end
end
