-- attack: loops | analysis | contained: instruction_limit exceeded
-- Empty matches for ever, and the iterator called beyond its end.
require "string"
function process_message()
    while true do
        local it = string.gmatch("abc", "()")
        for _ = 1, 10 do it() end
        for _ in string.gmatch("", "x*") do end
    end
end
