-- attack: slow instructions | analysis | contained: instruction_limit exceeded
-- Joins a hundred thousand strings each time.
require "table"
local t = {}
for i = 1, 100000 do t[i] = "abcdef" end
function process_message()
    while true do table.concat(t, ",") end
end
