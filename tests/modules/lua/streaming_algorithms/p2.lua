-- kind: analysis
-- Quantiles and histograms of the example of Jain and Chlamtac, and their limits.
require "string"
require "math"
local p2 = require "streaming_algorithms.p2"
assert(streaming_algorithms.p2 == p2)

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end

local data = {0.02, 0.15, 0.74, 3.39, 0.83, 22.37, 10.15, 15.43, 38.62, 15.92, 34.60, 10.28, 1.47, 0.40, 0.05, 11.39,
    0.27, 0.42, 0.09, 11.37}
local q, h = p2.quantile(0.5), p2.histogram(4)
for i, v in ipairs(data) do
    local estimate = q:add(v)
    assert((i < 5) == (estimate ~= estimate), "an estimate from five numbers on")
    if i == 5 then assert(estimate == 0.74, "the middle of the first five") end
    assert(select("#", h:add(v)) == 0)
end
local function verify(object)
    local counts, heights = {1, 6, 10, 16, 20}, {0.02, 0.493895, 4.44063, 17.2039, 38.62}
    for i = 0, 4 do
        assert(object:count(i) == counts[i + 1], object:count(i))
        assert(math.abs(object:estimate(i) - heights[i + 1]) < 1e-5, object:estimate(i))
    end
end
verify(q)
verify(h)
for _, v in ipairs{0/0, 1/0, -1/0} do q:add(v) h:add(v) end
verify(q)
verify(h)

local q1, h1 = p2.quantile(0.5), p2.histogram(4)
q1:fromstring(tostring(q))
h1:fromstring(tostring(h))
assert(#tostring(q) == 126 and #tostring(h) == 82)
verify(q1)
verify(h1)
q1:clear()
assert(q1:count(0) == 0 and q1:estimate(0) ~= q1:estimate(0))
fails("invalid serialization", p2.quantile(0.25).fromstring, p2.quantile(0.25), tostring(q))
fails("invalid serialization", p2.histogram(5).fromstring, p2.histogram(5), tostring(h))
fails("invalid serialization", q.fromstring, q, "\6" .. string.sub(tostring(q), 2))
-- Markers that no numbers could make.
q1:fromstring("\0\0" .. string.sub(tostring(q), 3, 6) .. string.rep("\255", 120))
for i = 1, 100 do q1:add(i) end

for _, p in ipairs{0, 1, -1, 1.1, 0/0} do fails("0 < quantile < 1", p2.quantile, p) end
for _, b in ipairs{3, 65535, 0/0, -4, 1e18} do fails("4 <= buckets < 65535", p2.histogram, b) end
fails("number expected, got string", p2.quantile, "string")
fails("incorrect number of arguments", p2.histogram)
local big = p2.histogram(65534)
big:add(1)
for _, object in ipairs{q, h, big} do
    fails("number expected, got nil", object.add, object, nil)
    fails("incorrect number of arguments", object.clear, object, nil)
    fails("marker out of range", object.count, object, -1)
    fails("marker out of range", object.estimate, object, 65535)
    fails("marker out of range", object.estimate, object, 0/0)
    fails("invalid serialization", object.fromstring, object, "foo")
end
fails("marker out of range", q.count, q, 5)
verify(q)
