-- attack: contract | analysis | either
-- Thousands of results.
local t = {}
for i = 1, 7000 do t[i] = 0 end
function process_message() return unpack(t) end
