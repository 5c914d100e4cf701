-- attack: hostile state files | state | either
-- A state that doubles itself in memory.
local s = "x"
while true do s = s .. s end
