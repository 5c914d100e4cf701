-- kind: analysis
-- Count, mean and deviations, and what is passed over.
require "string"
require "math"
local rs = require "streaming_algorithms.running_stats"
assert(streaming_algorithms.running_stats == rs)

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
local function near(a, b) assert(math.abs(a - b) < 1e-5, a) end

local stats = rs.new()
assert(stats:count() == 0 and stats:avg() == 0 and stats:sd() == 0 and stats:usd() == 0 and stats:variance() == 0)
assert(stats:add(1) == 1 and stats:sd() == 0)
for i = 2, 10 do stats:add(i) end
for _, v in ipairs{0/0, 1/0, -1/0} do assert(stats:add(v) == 5.5) end
local function verify(s)
    assert(s:count() == 10 and s:avg() == 5.5)
    near(s:sd(), 3.02765) near(s:usd(), 2.87228) near(s:variance(), 9.16667)
end
verify(stats)
local copy = rs.new()
copy:fromstring(tostring(stats))
stats:clear()
assert(stats:count() == 0)
verify(copy)

fails("this function takes no arguments", rs.new, 2)
fails("number expected, got string", stats.add, stats, "foo")
for _, name in ipairs{"avg", "clear", "count", "sd", "usd", "variance", "__tostring"} do
    fails("bad argument #0 to '?' (incorrect number of arguments)", stats[name], stats, "foo")
end
fails("string expected, got nil", stats.fromstring, stats, nil)
fails("invalid serialization", stats.fromstring, stats, "foo")
fails("invalid serialization", copy.fromstring, copy, string.rep("\255", 24))
verify(copy)
