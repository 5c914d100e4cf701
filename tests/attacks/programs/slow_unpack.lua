-- attack: slow instructions | analysis | contained: instruction_limit exceeded
-- Puts thousands of values on the stack at each call.
local t = {}
for i = 1, 7000 do t[i] = i end
local function count(...) return select("#", ...) end
function process_message()
    while true do
        count(unpack(t))
        select(6999, unpack(t))
    end
end
