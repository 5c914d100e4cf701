-- attack: slow instructions | analysis | contained: instruction_limit exceeded
-- Inserts and removes at the front move the whole table.
require "table"
local t = {}
for i = 1, 200000 do t[i] = i end
function process_message()
    while true do
        table.insert(t, 1, 0)
        table.remove(t, 1)
    end
end
