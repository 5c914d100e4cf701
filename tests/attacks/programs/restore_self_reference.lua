-- attack: hostile state files | state | either
-- References to what is not there, to itself and to the globals.
_G["a"] = _G["missing"]
_G["b"] = {}
_G["b"]["b"] = _G["b"]
_G["c"] = _G
_G["d"] = _G["a"]["b"]["c"]
_G["missing"]["x"] = 1
_G["e"] = _G["string"]["dump"]
