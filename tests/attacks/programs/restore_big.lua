-- attack: hostile state files | state | either | expand
-- More state than the plugin's memory holds.
_G["t"] = {}
@@300000:_G["t"]["k"] = {1,2,3,"abcdefgh"}
@@_G["s"] = "@@2000000:0123456789@@"
