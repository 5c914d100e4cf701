-- attack: slow instructions | analysis | contained: instruction_limit exceeded
-- Sorts long strings that differ in the end only, so that every comparison is long.
require "table"
require "string"
local t, s = {}, string.rep("x", 100000)
for i = 1, 50 do t[i] = s .. (i * 37 % 50) end
function process_message()
    while true do
        table.sort(t)
        table.sort(t, function(a, b) return a > b end)
    end
end
