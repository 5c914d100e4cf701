-- attack: hostile state files | state | either
-- Keys that make the loader reserve memory for an array, and keys that are none.
_G["t"] = {}
_G["t"][2147483647] = 1
_G["t"][1e308] = 1
_G["t"][-9223372036854775808] = 1
_G["t"][0/0] = 1
_G["t"][nil] = 1
_G["t"][{}] = 1
