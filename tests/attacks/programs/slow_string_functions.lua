-- attack: slow instructions | analysis | contained: instruction_limit exceeded
-- Each call of a string function works through a megabyte.
require "string"
local s = string.rep("x", 1000000)
function process_message()
    while true do
        string.upper(s)
        string.lower(s)
        string.reverse(s)
    end
end
