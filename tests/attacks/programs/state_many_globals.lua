-- attack: preserved state | analysis | either
-- Tens of thousands of globals, each a table that is shared with the one before.
for i = 1, 20000 do _G["g" .. i] = {_G["g" .. (i - 1)], i} end
function process_message() return 0 end
