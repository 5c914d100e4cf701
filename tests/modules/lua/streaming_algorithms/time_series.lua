-- kind: analysis
-- A window of whole numbers: values, ranges, statistics, merging, the matrix profile.
require "string"
require "math"
local time_series = require "streaming_algorithms.time_series"
assert(streaming_algorithms.time_series == time_series)

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
local function near(a, b) assert(math.abs(a - b) < 1e-5, a) end
local new = time_series.new

for _, rows in ipairs{1, 0, -1, 0/0} do fails("must be > 1", new, rows, 1) end
for _, ns in ipairs{0, -1, 0.5, 0/0, 1/0, 360e9 * 360e9} do fails("must be 1 - UINT64_MAX", new, 2, ns) end
fails("incorrect number of arguments", new, 2)
fails("not enough memory", new, 1e18, 1)
local largest = new(3, 2^64)
assert(largest:add(2^64, 1) == 1 and largest:get(2^64) == 1)

local ts = new(3, 10)
local rows, ns = ts:get_configuration()
assert(rows == 3 and ns == 10 and ts:current_time() == 20)
assert(ts:get(0) == 0 and ts:set(9, 5) == 5 and ts:add(0, 2) == 7 and ts:get(5) == 7)
assert(ts:get(30) == nil, "newer than the window")
assert(ts:add(39, -1) == -1 and ts:current_time() == 30)
assert(ts:get(9) == nil and ts:add(9, 1) == nil and ts:set(9, 1) == nil, "too old")
assert(ts:set(1e19, 2^31 - 1) == 2^31 - 1 and ts:add(1e19, 1) == 2^31 - 1, "values stay in their range")
for _, bad in ipairs{-1, 0/0, 2^65} do fails("must be 0 - UINT64_MAX", ts.get, ts, bad) end
fails("number expected, got nil", ts.set, ts, nil, 1)
fails("incorrect number of arguments", ts.add, ts, 0)
fails("time_series_int expected, got number", ts.get, 1, 1)

local six = new(6, 1)
for i = 0, 5 do six:add(i, i) end
local range = six:get_range(1, 2)
assert(#range == 2 and range[1] == 1 and range[2] == 2)
assert(#six:get_range(nil, 6) == 6 and #six:get_range(nil, 0) == 0)
assert(six:get_range(6, 1) == nil and six:get_range(5, 2) == nil, "not all in the window")
fails("invalid sequence length", six.get_range, six, nil, 7)
fails("invalid sequence length", six.get_range, six, nil, -1)
fails("must be 0 - UINT64_MAX", six.get_range, six, -1, 2)

local ten = new(10, 1)
ten:merge(six, "set")
assert(ten:get(2) == 2)
ten:merge(ten, "add")
assert(ten:get(2) == 4)
ten:merge(ten)
assert(ten:get(2) == 8)
ten:merge(ten, "set")
local coarse = new(2, 100)
coarse:set(150, 3)
ten:merge(coarse)
assert(ten:current_time() == 100 and ten:get(100) == 3)
fails("the resolution of the time series being merged", coarse.merge, coarse, ten)
fails("invalid option 'foo'", ten.merge, ten, six, "foo")

local s = new(6, 1)
for i, v in ipairs{1, 2, 3, 0, 5, 6} do s:add(i, v) end
for _, case in ipairs{
    {"sum", 17, 17}, {"min", 1, 0}, {"max", 6, 6}, {"avg", 3.4, 2.83333}, {"sd", 2.07364, 2.31660}, {"usd", 1.85472, 2.11476},
} do
    local value, n = s:stats(nil, 6, case[1])
    near(value, case[2]) assert(n == 5)
    value, n = s:stats(nil, 6, case[1], true)
    near(value, case[3]) assert(n == 6)
end
assert(s:stats(nil, 6) == 17 and select("#", s:stats(7, 1)) == 0)
assert(new(2, 1):stats(nil, 2, "min") == 2^31 - 1, "none took part")
fails("invalid option 'foo'", s.stats, s, nil, 2, "foo")

local copy = new(6, 1)
copy:fromstring(tostring(s))
assert(tostring(copy) == tostring(s) and #tostring(s) == 24 + 4 * 6 and copy:get(6) == 6)
fails("invalid serialization", new(6, 2).fromstring, new(6, 2), tostring(s))
fails("invalid serialization", s.fromstring, s, "foo")
copy:fromstring(string.rep("\255", 8) .. string.sub(tostring(s), 9))
assert(copy:current_time() == 2^64 and copy:add(2^64, 1))
copy:fromstring(string.rep("\0", 8) .. string.sub(tostring(s), 9))
copy:merge(s)
assert(copy:get_range(nil, 6))

-- The matrix profile of upstream's test.
local p = new(17, 1)
for i, v in ipairs{132, 161, 144, 145, 31, 44, 47, 26, 232, 236, 254, 262, 339, 360, 313, 340, 1} do p:add(i - 1, v) end
local at, percent, distance = p:matrix_profile(nil, 16, 4, 100)
assert(at == 3) near(percent, 68.356354) near(distance, 1.078937)
at, percent, distance = p:matrix_profile(nil, 16, 4, 100, "anomaly_current")
assert(at == 12 and percent ~= percent and distance ~= distance)
local mp, mpi = p:matrix_profile(nil, 16, 4, 100, "mp"), p:matrix_profile(nil, 16, 4, 100, "mpi")
local distances = {1.5010956, 1.7133271, 1.4465117, 2.2386180, 1.4207401, 0.6203824, 0.3990311, 1.0783010, 0.1763581,
    0.6203824, 0.1763581, 1.0783010, 1.4465117}
local nearest = {7, 4, 12, 1, 11, 9, 10, 11, 10, 5, 8, 7, 2}
assert(#mp == 13 and #mpi == 13)
for i = 1, 13 do near(mp[i], distances[i]) assert(mpi[i] == nearest[i]) end
assert(select("#", new(17, 1):matrix_profile(nil, 16, 4, 100)) == 0, "nothing to compare")
assert(p:matrix_profile(nil, 16, 4, 1), "an approximation")
fails("invalid sequence length", p.matrix_profile, p, nil, 20, 4, 100)
fails("invalid sequence length", p.matrix_profile, p, nil, 16, 5, 100)
fails("invalid sequence length", p.matrix_profile, p, nil, -1, 4, 100)
fails("invalid sub-sequence length", p.matrix_profile, p, nil, 16, 3, 100)
fails("invalid sub-sequence length", p.matrix_profile, p, nil, 16, -5, 100)
for _, bad in ipairs{0, 100.1, 0/0, -1} do fails("invalid percent", p.matrix_profile, p, nil, 16, 4, bad) end
fails("invalid option 'foo'", p.matrix_profile, p, nil, 16, 4, 100, "foo")
fails("number expected, got no value", p.matrix_profile, p)
