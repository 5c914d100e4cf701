-- kind: analysis
-- Keys expire with time, and when there is no room.
require "string"
require "cuckoo_filter_expire"
assert(cuckoo_filter_expire.version() == "1.1.1")

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
local new = cuckoo_filter_expire.new
fails("incorrect number of arguments", new, 1024)
fails("incorrect number of arguments", new, 1024, 1, 3)
for _, items in ipairs{256, 0, -1, 0/0} do fails("items must be > 256", new, items, 1) end
for _, minutes in ipairs{0, -1, 1441, 0/0, 1e18} do fails("0 < interval size <= 1440", new, 1024, minutes) end
fails("not enough memory", new, 1e18, 1)

local minute = 60e9
local cf = new(1024, 1)
local ns, interval = cf:current_interval()
assert(ns == 255 * minute and interval == 255)
local function add(key, time, added, delta)
    local a, d = cf:add(key, time)
    assert(a == added and d == delta, tostring(a) .. " " .. tostring(d))
end
add("a", 300 * minute, true, 0)
ns, interval = cf:current_interval()
assert(ns == 300 * minute and interval == 300 % 256)
local found, seen = cf:query("a")
assert(found == true and seen == 44)
assert(select("#", cf:query("b")) == 1 and cf:query("b") == false)
add("a", 305 * minute, false, 5)
add("a", 303 * minute, false, 2)
add("b", 302.5 * minute, true, 0)
assert(select(2, cf:query("b")) == 302 % 256)
assert(cf:count() == 2)
-- Before the window.
assert(select("#", cf:add("old", 40 * minute)) == 1 and cf:add("old", 40 * minute) == false)
add("still", 50 * minute, true, 0)
-- 256 intervals later everything that was not seen since is gone.
add("c", 302 * minute + 256 * minute, true, 0)
assert(not cf:query("b") and not cf:query("still") and cf:query("a"))
add("d", 305 * minute + 256 * minute, true, 0)
assert(not cf:query("a") and cf:query("c") and cf:count() == 2)
-- A leap over the whole window, also by a multiple of it.
add("e", (561 + 512) * minute, true, 0)
assert(cf:count() == 1 and not cf:query("d"))
add("f", 1e300, true, 0)
add("f", 0/0, false, nil)
assert(cf:delete("f") == true and cf:delete("f") == false and cf:count() == 0)
cf:clear()
assert(cf:current_interval() == 255 * minute)

-- Upstream's example of a full filter.
cf = new(512, 1)
for i = 1, 410 do cf:add(i, minute) end
add(200, 2 * minute, false, 1)
assert(cf:count() == 410)
add(411, 120, true, 0)
assert(cf:count() == 2, "the least recent interval was emptied")
-- Ever more keys never fill it.
for i = 1, 20000 do cf:add("k" .. i, (300 + i / 10) * minute) end
assert(cf:count() < 512 and cf:query("k20000"))

fails("number expected, got table", cf.add, cf, "foo", {})
fails("must be a string or number", cf.add, cf, nil, 1)
fails("incorrect number of arguments", cf.add, cf, "foo")
fails("incorrect number of arguments", cf.query, cf)
fails("fromstring() bytes found: 3, expected 2560", cf.fromstring, cf, 1, "abc")
fails("number expected, got string", cf.fromstring, cf, "abc", "x")
cf:fromstring(7, string.rep("\1", 2560))
assert(cf:count() == 512)
add("new", minute * 3000, true, 0)
cf:fromstring(0, 1, string.rep("\0", 2560))
cf:fromstring(0, "not a clock", string.rep("\0", 2560))
assert(cf:count() == 0)
