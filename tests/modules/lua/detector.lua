-- kind: analysis
-- The module detector: kinds, parameters, verdicts, consensus, histograms, wrong arguments.
require "math"
require "string"
require "table"
local detector = require "detector"

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end

local MINUTE = 60e9

-- Every kind has defaults, which can be given again.
local n = 0
for name, params in pairs(detector.kinds()) do
    n = n + 1
    local d = detector.new(name, params)
    local score, alert = d:add(0, 5)
    assert(score == 0 and alert == false, name)
    assert(params.refractory == 3600 and params.direction == 0)
    assert(tostring(d) == tostring(detector.new(name)) or #tostring(d) > 0)
end
assert(n == 8)

-- A level change is one alert.
local function alerts_of(d, values)
    local found = {}
    for i, value in ipairs(values) do
        local score, alert = d:add(i * MINUTE, value)
        if alert then
            assert(score >= 1)
            found[#found + 1] = i
        end
    end
    return found
end
local values = {}
for i = 1, 200 do values[i] = 100 + (i * 7919 % 13) end
for i = 201, 230 do values[i] = 200 + (i * 7919 % 13) end
local found = alerts_of(detector.new("robust", { window = 60 }), values)
assert(#found == 1 and found[1] == 201)
found = alerts_of(detector.new("robust", { window = 60, direction = -1 }), values)
assert(#found == 0)
found = alerts_of(detector.new("rate", { window = 5, history = 100 }), values)
assert(#found == 1 and found[1] <= 205)

-- A consensus, with the members' scores.
local both = detector.new("consensus", {
    detectors = { detector.new("robust", { window = 60 }), detector.new("cusum", {}) }, need = 2, within = 600,
})
found = alerts_of(both, values)
assert(#found == 1 and found[1] >= 201 and found[1] <= 210, found[1])
local scores = both:scores()
assert(#scores == 2 and scores[1].kind == "robust" and type(scores[2].score) == "number")

-- State: as text, and back.
local a = detector.new("robust", { window = 60 })
for i = 1, 100 do a:add(i * MINUTE, values[i]) end
local b = detector.new("cusum")
b:fromstring(tostring(a))
assert(tostring(a) == tostring(b))
for i = 101, 230 do
    local s, t = a:add(i * MINUTE, values[i])
    local u, v = b:add(i * MINUTE, values[i])
    assert(s == u and t == v)
end
a:clear()
assert(tostring(a) ~= tostring(b))
fails("invalid serialization", a.fromstring, a, "")
fails("invalid serialization", a.fromstring, a, string.rep("\255", 1000))
fails("invalid serialization", a.fromstring, a, tostring(b) .. "x")

-- Histograms.
local h = detector.histogram(4, { rows = 3, count = 10 })
for i = 1, 4 do assert(not select(2, h:add(i, { 10, 20, 5, 1 }))) end
local score, alert = h:add(5, { 1, 2, 10, 90 })
assert(alert and score > 1)
local copy = detector.histogram(2)
copy:fromstring(tostring(h))
assert(tostring(copy) == tostring(h))
h:clear()
assert(#tostring(h) < #tostring(copy))
assert(detector.pearson({ 1, 2, 3 }, { 2, 4, 6 }) > 0.999999)
assert(detector.bhattacharyya({ 1, 0 }, { 0, 1 }) == 0)
local u, p = detector.mann_whitney_u({ 19, 22, 16, 29, 24 }, { 20, 11, 17, 12 })
assert(u == 17 and math.abs(p - 0.05567344) < 1e-6)
assert(detector.mann_whitney_u({ 1, 1 }, { 1, 1 }) == nil)

-- Wrong arguments.
fails("unknown kind 'x'", detector.new, "x")
fails("string expected, got nil", detector.new, nil)
fails("incorrect number of arguments", detector.new)
fails("unknown parameter 'windo'", detector.new, "robust", { windo = 5 })
fails("unknown parameter", detector.new, "robust", { [true] = 5 })
fails("table expected, got number", detector.new, "robust", 5)
fails("window must be a whole number from 8 to 4096", detector.new, "robust", { window = 1e9 })
fails("window must be", detector.new, "robust", { window = 10.5 })
fails("window must be", detector.new, "robust", { window = 0 / 0 })
fails("window must be a number", detector.new, "robust", { window = {} })
fails("must be evenly divisible", detector.new, "shape", { period = 100, letters = 24 })
fails("season must be", detector.new, "seasonal", { season = 1e9, part = 1 })
fails("table expected", detector.new, "consensus")
fails("array of detectors", detector.new, "consensus", { detectors = 5 })
fails("array of detectors", detector.new, "consensus", { detectors = { 5 } })
fails("1 to 16 detectors expected", detector.new, "consensus", { detectors = {} })
fails("cannot have another", detector.new, "consensus", { detectors = { both } })
fails("need must be", detector.new, "consensus", { detectors = { a }, need = 2 })
fails("incorrect number of arguments", a.add, a, 1)
fails("number expected", a.add, a, "x", 1)
fails("a time in nanoseconds expected", a.add, a, 1 / 0, 1)
fails("bins must be", detector.histogram, 1)
fails("bins must be", detector.histogram, 0 / 0)
fails("rows must be", detector.histogram, 4096, { rows = 17 })
fails("a number for each bin", h.add, h, 1, { 1, 2 })
fails("finite numbers expected", h.add, h, 1, { 1, 2, 3, 1 / 0 })
fails("finite numbers expected", detector.pearson, { {} }, { 1 })
fails("same length", detector.pearson, { 1 }, { 1, 2 })
fails("same length", detector.pearson, {}, {})
fails("foresight.detector expected", a.add, h, 1, 2)
for _, odd in ipairs { 0 / 0, 1 / 0, -1 / 0 } do assert(a:add(1, odd) == 0) end
for _, odd in ipairs { 1e308, -1e308, 0, 1e300 } do a:add(-1e18, odd) a:add(9e18, odd) end
