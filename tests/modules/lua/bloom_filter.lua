-- kind: analysis
-- What was added is found; what was not, seldom.
require "string"
require "bloom_filter"
assert(bloom_filter.version() == "1.0.0")

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
local new = bloom_filter.new
fails("incorrect number of arguments", new, 2)
fails("number expected, got nil", new, nil, 0.01)
for _, items in ipairs{1, 0, -5, 0/0, -1e18} do fails("items must be > 1", new, items, 0.01) end
for _, p in ipairs{0, 1, -1, 2, 0/0, 1/0} do fails("probability must be between 0 and 1", new, 2, p) end
fails("not enough memory", new, 1e18, 5e-324)

local bf = new(1000, 0.01)
assert(bf:count() == 0 and bf:query(1) == false)
for i = 1, 950 do assert(bf:add(i) == true) end
for i = 1, 950 do assert(bf:query(i) and bf:add(i) == false) end
assert(bf:count() == 950)
local wrong = 0
for i = 951, 10950 do if bf:query(i) then wrong = wrong + 1 end end
assert(wrong < 150, wrong)
bf:clear()
assert(bf:count() == 0 and not bf:query(1))
assert(bf:add("") and bf:add("a\0b") and bf:add(0/0) and bf:query("a\0b") and not bf:query("a"))
fails("must be a string or number", bf.add, bf, {})

fails("incorrect number of arguments", bf.add, bf)
fails("incorrect number of arguments", bf.clear, bf, 1)
fails("mozsvc.bloom_filter expected, got no value", bf.count)

-- 20 keys at 1 % take 192 bits.
local small = new(20, 0.01)
small:fromstring(3, string.rep("\255", 24))
assert(small:count() == 3 and small:query("anything"))
small:fromstring(string.rep("\0", 24))
assert(not small:query("anything"))
fails("fromstring() bytes found: 23, expected 24", small.fromstring, small, string.rep(" ", 23))
fails("string expected, got table", small.fromstring, small, {})
fails("incorrect number of arguments", small.fromstring, small, 1, "", 3)

-- A filter without hashes takes nothing and finds everything, as upstream.
local none = new(2, 0.999999)
assert(none:add(1) == false and none:query(1) == true)
