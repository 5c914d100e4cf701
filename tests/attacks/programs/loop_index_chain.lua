-- attack: loops | analysis | contained: instruction_limit exceeded
-- A hundred tables chained by __index, so that one instruction does the work of a hundred.
local t = {}
for _ = 1, 99 do t = setmetatable({}, {__index = t}) end
function process_message()
    local x
    while true do x = t.missing end
end
