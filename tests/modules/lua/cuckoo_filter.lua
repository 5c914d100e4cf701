-- kind: analysis
-- Adding, finding and deleting; a full filter loses nothing.
require "string"
require "cuckoo_filter"
assert(cuckoo_filter.version() == "1.1.1")

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
local new = cuckoo_filter.new
fails("incorrect number of arguments", new, 20, 99)
fails("number expected, got nil", new, nil)
for _, items in ipairs{4, 0, -1, 0/0, -1e18} do fails("items must be > 4", new, items) end
fails("not enough memory", new, 1e18)

local cf = new(100000)
assert(cf:count() == 0 and cf:query(1) == false)
for i = 1, 80000 do cf:add(i) end
local n = cf:count()
assert(n > 79980 and n <= 80000, n)
for i = 1, 80000 do assert(cf:query(i)) end
local wrong, deleted = 0, 0
for i = 80001, 180000 do if cf:query(i) then wrong = wrong + 1 end end
assert(wrong < 40, wrong)
for i = 1, 80000 do if cf:delete(i) then deleted = deleted + 1 end end
assert(deleted == n and cf:count() == 0)
assert(cf:add("1") == true and cf:add("1") == false and cf:query("1") and cf:delete("1") and not cf:delete("1"))
cf:add("x")
cf:clear()
assert(cf:count() == 0 and not cf:query("x"))

-- Full: what was there stays.
local full = new(16)
local kept = {}
for i = 1, 100 do
    local ok, added = pcall(full.add, full, i)
    if ok then if added then kept[#kept + 1] = i end else assert(added == "the cuckoo filter is full", added) end
end
assert(full:count() == #kept and #kept <= 16 and #kept > 8)
for _, key in ipairs(kept) do assert(full:query(key)) end

-- One bucket is the smallest filter.
local one = new(5)
for i = 1, 4 do assert(one:add(i) == true) end
fails("the cuckoo filter is full", one.add, one, 5)

fails("must be a string or number", cf.add, cf, {})
fails("incorrect number of arguments", cf.query, cf)
fails("incorrect number of arguments", cf.clear, cf, 1)
fails("incorrect number of arguments", cf.fromstring, cf, {})
fails("number expected, got string", one.fromstring, one, "x", "", 1)
fails("fromstring() bytes found: 3, expected 8", one.fromstring, one, 1, "abc", 1)
one:fromstring(99, "abcdefg\0", 1)
assert(one:count() == 4, "entries in use are counted")
one:fromstring(0, "", 2)
assert(one:count() == 4, "another version is not read")
