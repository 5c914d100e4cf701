-- attack: hostile state files | state | either | expand
-- A first line that is endless, or a program.
if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= (function() while true do end end)() then return end
-- @@1000000:position @@
