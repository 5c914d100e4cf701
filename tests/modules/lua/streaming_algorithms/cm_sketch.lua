-- kind: analysis
-- Counts of keys, added and removed.
require "string"
local cm_sketch = require "streaming_algorithms.cm_sketch"
assert(streaming_algorithms.cm_sketch == cm_sketch)

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end

local cms = cm_sketch.new(0.1, 0.1)
assert(cms:item_count() == 0 and cms:unique_count() == 0 and cms:point_query("a") == 0)
assert(cms:update("a", -10) == 0 and cms:item_count() == 0)
assert(cms:update("c", 6) == 6 and cms:update("a") == 1 and cms:update("b", 2) == 2)
assert(cms:update("c", -3) == 3 and cms:update(2) == 1 and cms:update("c", 0) == 3)
assert(cms:item_count() == 7 and cms:unique_count() == 4)
assert(cms:point_query("a") == 1 and cms:point_query("b") == 2 and cms:point_query("c") == 3 and cms:point_query(2) == 1)
assert(cms:update("c", -4) == 0 and cms:point_query("c") == 0)
assert(cms:item_count() == 4 and cms:unique_count() == 3)

local copy = cm_sketch.new(0.1, 0.1)
copy:fromstring(tostring(cms))
assert(copy:item_count() == 4 and copy:point_query("b") == 2)
assert(#tostring(cms) == 16 + 4 * 28 * 3)
copy:clear()
assert(copy:item_count() == 0 and copy:point_query("b") == 0)

-- Counters end at the largest number of 32 bits.
for i = 1, 3 do copy:update("x", 2^31 - 1) end
assert(copy:point_query("x") == 2^32 - 1, copy:point_query("x"))
assert(copy:update("x", -2^31) == 2^31 - 1)
-- Counters that no keys could make.
copy:fromstring(string.rep("\255", #tostring(copy)))
assert(copy:update("y", 1) == 2^32 - 1)
copy:fromstring(string.rep("\0", 16) .. string.rep("\255", #tostring(copy) - 16))
assert(copy:update("y", -1) == 2^32 - 2 and copy:item_count() == 0)

fails("incorrect number of arguments", cm_sketch.new)
fails("number expected, got string", cm_sketch.new, 0.1, "string")
for _, v in ipairs{0, 1, -1, 0/0, 1/0} do
    fails("0 < epsilon < 1", cm_sketch.new, v, 0.1)
    fails("0 < delta < 1", cm_sketch.new, 0.1, v)
end
fails("invalid size", cm_sketch.new, 1e-300, 0.1)
fails("invalid size", cm_sketch.new, 0.1, 5e-324)
fails("not enough memory", cm_sketch.new, 1e-9, 1e-300)
fails("must be a string or number", cms.update, cms, true)
fails("number expected, got string", cms.update, cms, "a", "a")
fails("incorrect number of arguments", cms.update, cms)
fails("incorrect number of arguments", cms.point_query, cms)
fails("incorrect number of arguments", cms.clear, cms, 6)
fails("invalid serialization", cms.fromstring, cms, "foo")
assert(cms:item_count() == 4)
