-- attack: slow instructions | analysis | contained: instruction_limit exceeded
-- Sorts two hundred thousand numbers and strings for ever, without a comparator to be stopped in.
require "table"
local t = {}
for i = 1, 200000 do t[i] = (i * 7919) % 200003 end
function process_message()
    while true do
        table.sort(t)
        for i = 1, 100 do t[i] = 200000 - i end
    end
end
