-- attack: hostile state files | state | either
-- The same without a condition.
_G["x"] = 1
for i = 1, 1e18 do _G["x"] = i end
