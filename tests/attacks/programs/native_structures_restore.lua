-- attack: hostile state files | state | either
-- Structures of absurd sizes, with methods that restore nothing, and contents of other sizes.
_G["a"] = circular_buffer.new(1e18, 256, 1)
if _G["b"] == nil then _G["b"] = circular_buffer.new(1000000, 256, 1) end
_G["b"]:fromstring("1 1 1")
if _G["c"] == nil then _G["c"] = cuckoo_filter.new(1099511627776) end
_G["c"]:fromstring(5, "x")
if _G["d"] == nil then _G["d"] = matrix.new(65536, 65536) end
if _G["e"] == nil then _G["e"] = io.popen("touch pwned") end
if _G["f"] == nil then _G["f"] = os.execute("touch pwned") end
_G["count"]:close()
_G["f"]:write("x")
