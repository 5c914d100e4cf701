-- attack: hostile state files | state | either | body
-- A file that ends in the middle of a string.
if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 0 then return end
_G["a"] = 1
_G["b"] = "abc@@1:\x00\xff@@
