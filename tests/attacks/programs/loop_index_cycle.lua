-- attack: loops | analysis | contained: instruction_limit exceeded
-- A table that is its own __index, and two that are each other's.
local t = {}
setmetatable(t, t).__index = t
local a, b = {}, {}
setmetatable(a, {__index = b, __newindex = b})
setmetatable(b, {__index = a, __newindex = a})
function process_message()
    while true do
        pcall(function() return t.missing end)
        pcall(function() return a.missing end)
        pcall(function() a.missing = 1 end)
        pcall(rawget, a, "missing")
    end
end
