-- attack: slow instructions | output | contained: instruction_limit exceeded
-- Full collections of a full heap, one instruction each.
local t = {}
for i = 1, 60000 do t[i] = {i} end
function process_message()
    while true do collectgarbage("collect") end
end
