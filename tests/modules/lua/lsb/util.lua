-- kind: analysis
-- lsb.util: what each function promises, and odd arguments.
require "string"
require "table"
local util = require "lsb.util"

local function beheaded(index, ...)
    local array = { ... }
    util.behead_array(index, array)
    return table.concat(array, ",")
end

assert(beheaded(3, "a", "b", "c", "d", "e") == "c,d,e")
assert(beheaded(5, "a", "b", "c", "d", "e") == "e")
assert(beheaded(6, "a", "b", "c", "d", "e") == "")
assert(beheaded(1e9, "a", "b") == "")
assert(beheaded(1, "a", "b") == "a,b")
assert(beheaded(0, "a", "b") == "a,b")
assert(beheaded(-5, "a", "b") == "a,b")
assert(beheaded(2) == "")

local function keys(hash, before)
    local found = {}
    for key, value in util.pairs_by_key(hash, before) do
        assert(hash[key] == value)
        found[#found + 1] = tostring(key)
    end
    return table.concat(found, ",")
end

assert(keys { b = 1, a = false, c = 3 } == "a,b,c")
assert(keys { [10] = 1, [9] = 2, [-1.5] = 3 } == "-1.5,9,10")
assert(keys({ b = 1, a = 2, c = 3 }, function(a, b) return a > b end) == "c,b,a")
assert(keys {} == "")
assert(not pcall(util.pairs_by_key, { a = 1, [2] = 2 }), "keys of two types have no order")

-- Keys removed on the way are visited with nil; the order stands.
local shrinking, seen = { a = 1, b = 2, c = 3 }, ""
for key in util.pairs_by_key(shrinking) do
    seen = seen .. key
    shrinking.b = nil
end
assert(seen == "abc")

local dest = { sum = 1, list = { 1, 1, 3 }, kept = 3, text = "old", yes = true, odd = "text" }
local src  = { sum = 5, list = { 0, 0, 5, 1 }, new = { deep = 100 }, text = "new", yes = false, odd = 1 }
local both = util.merge_objects(dest, src)
assert(both == dest, "merged in place")
assert(both.sum == 6 and both.kept == 3 and both.text == "new" and both.yes == false)
assert(both.odd == "text", "another type changes nothing")
assert(table.concat(both.list, ",") == "1,1,8,1")
assert(both.new == src.new and both.new.deep == 100)

assert(util.merge_objects(nil, 5) == 5 and util.merge_objects(5, nil) == 5)
assert(util.merge_objects(nil, nil) == nil)
assert(util.merge_objects(2, 3) == 5)
assert(util.merge_objects(false, true) == true)
assert(util.merge_objects("a", 1) == "a")
assert(util.merge_objects(print, util.behead_array) == print)

local function nest(n)
    local t = { 1 }
    for _ = 2, n do t = { t } end
    return t
end
util.merge_objects(nest(1000), nest(1000))
local ok, err = pcall(util.merge_objects, nest(1001), nest(1001))
assert(not ok and err == "merge_objects() tables are nested too deeply", err)
local endless = {}
endless.endless = endless
local other = {}
other.endless = other
assert(not pcall(util.merge_objects, endless, other))
