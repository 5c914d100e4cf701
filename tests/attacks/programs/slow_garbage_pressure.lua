-- attack: slow instructions | analysis | contained: instruction_limit exceeded / not enough memory
-- Lives as near to the memory limit as it can, so that every allocation may start a collection.
require "string"
local t = {}
pcall(function() for i = 1, 1e9 do t[i] = {i} end end)
for i = #t, #t - 1000, -1 do t[i] = nil end
function process_message()
    while true do
        local s = {}
        for i = 1, 20 do s[i] = "x" .. i end
    end
end
