-- attack: loops | analysis | contained: instruction_limit exceeded / attempt to call
-- Tables that are called through tables that are called through tables.
local t = function() return 1 end
for _ = 1, 150 do t = setmetatable({}, {__call = t}) end
function process_message()
    while true do t() end
end
