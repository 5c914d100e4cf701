-- kind: analysis
-- Counts of Redis for known keys, unions, merges and serialised sketches.
require "string"
require "hyperloglog"
assert(hyperloglog.version() == "1.0.1")

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and err == text, tostring(err))
end
local function fill(h, first, last)
    for i = first, last do h:add(string.format("%08d", i)) end
    return h
end

local h = hyperloglog.new()
assert(h:count() == 0)
assert(h:add("a") == true and h:add("a") == false and h:count() == 1 and h:count() == 1)
h:clear()
assert(h:count() == 0)

-- The estimates that Redis gives.
fill(h, 1, 50000)
assert(h:count() == 49932)
local all = fill(hyperloglog.new(), 1, 110000)
assert(all:count() == 110505)
local one = hyperloglog.new()
assert(one:merge(h) == one and one:count() == 49932)
fill(one, 100001, 110000)
assert(hyperloglog.count(h, one) == 59872)
local two = fill(hyperloglog.new(), 50001, 100000)
assert(two:count() == 50151)
assert(hyperloglog.count(h, one, two) == 110383)
assert(h:merge(h) == h and h:count() == 49932)

-- Numbers are counted by their eight bytes.
local numbers = hyperloglog.new()
for i = 0, 99999 do numbers:add(i) end
assert(numbers:count() == 100070, numbers:count())
numbers:add(0/0) numbers:add(1/0) numbers:add("") numbers:add("a\0b")

local text = tostring(h)
assert(#text == 12304 and string.sub(text, 1, 4) == "HYLL" and text == h:__tostring())
local copy = hyperloglog.new()
copy:fromstring(text)
assert(copy:count() == 49932 and tostring(copy) == tostring(h))

fails("bad argument #1 to '?' (incorrect number of arguments)", hyperloglog.new, 2)
fails("bad argument #0 to '?' (incorrect number of arguments)", hyperloglog.count)
fails("bad argument #1 to '?' (incorrect number of arguments)", hyperloglog.count, h)
fails("bad argument #2 to '?' (mozsvc.hyperloglog expected, got number)", hyperloglog.count, h, 1)
fails("bad argument #2 to '?' (must be a string or number)", h.add, h, {})
fails("bad argument #1 to '?' (incorrect number of arguments)", h.add, h)
fails("bad argument #2 to '?' (incorrect number of arguments)", h.count, h, 1)
fails("bad argument #2 to '?' (incorrect number of arguments)", h.clear, h, 1)
fails("bad argument #0 to '?' (incorrect number of arguments)", h.merge)
fails("bad argument #2 to '?' (mozsvc.hyperloglog expected, got table)", h.merge, h, {})
fails("bad argument #2 to '?' (string expected, got table)", h.fromstring, h, {})
fails("fromstring() bytes found: 6, expected 12304", h.fromstring, h, "      ")
fails("fromstring() HYLL header not found", h.fromstring, h, string.rep("\0", 12304))
fails("fromstring() invalid encoding", h.fromstring, h, "HYLL\1" .. string.sub(text, 6))
assert(h:count() == 49932, "errors change nothing")
-- Registers that no key could make are no reason to fail.
h:fromstring("HYLL" .. string.rep("\0", 11) .. "\128" .. string.rep("\255", 12288))
assert(h:count() > 1e18)
