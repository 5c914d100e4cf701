-- attack: environments | analysis | either
-- Replaces the globals of the thread by a table that loops at every look-up.
local loop = function() while true do end end
pcall(setfenv, 0, setmetatable({}, {__index = loop, __newindex = loop}))
function process_message()
    setfenv(0, setmetatable({}, {__index = loop, __newindex = loop}))
    return 0
end
function timer_event() end
