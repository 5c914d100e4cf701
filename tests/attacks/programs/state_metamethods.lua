-- attack: preserved state | analysis | either
-- Metatables on the globals and on what is to be preserved, which loop when they are asked.
local loop = function() while true do end end
hidden = setmetatable({}, {__index = loop, __newindex = loop, __pairs = loop, __len = loop, __tostring = loop, __metatable = "locked"})
inside = {t = setmetatable({}, {__index = loop, __pairs = loop, __metatable = false})}
function process_message()
    setmetatable(_G, {__index = loop, __newindex = loop, __pairs = loop, __metatable = "locked"})
    return 0
end
