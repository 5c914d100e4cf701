-- attack: slow instructions | analysis | contained: instruction_limit exceeded
-- table.maxn and table.getn walk the whole table each time.
require "table"
local t = {}
for i = 1, 200000 do t[i] = i end
function process_message()
    while true do
        table.maxn(t)
        table.getn(t)
    end
end
