-- kind: analysis
-- lsb.stats against values of SciPy and by hand.
require "math"
require "string"
local stats = require "lsb.stats"

local NAN = 0/0

local function is(found, expected, epsilon)
    if expected ~= expected then
        assert(found ~= found, "not NaN: " .. tostring(found))
    else
        assert(found == expected or math.abs(found - expected) <= (epsilon or 0), string.format("%.17g is not %.17g", found, expected))
    end
end

local function check(name, expected, count, ...)
    local found, n = stats[name](...)
    is(found, expected, 1e-12)
    assert(n == count, name)
end

local some = { NAN, 4, 1, NAN, 3, 2 }
check("sum", 10, 4, some)
check("avg", 2.5, 4, some)
check("min", 1, 4, some)
check("max", 4, 4, some)
check("variance", 1.25, 4, some)
check("sd", math.sqrt(1.25), 4, some)
check("sum", 5, 2, some, 2, 3)
check("avg", 2.5, 2, some, 5)
check("min", 1, 2, some, 3, 5)
check("variance", 0.25, 2, some, 5, 6)
-- Beyond the ends there is nothing.
check("sum", 2, 1, some, 6, 100)
check("sum", 0, 0, some, 5, 4)

for _, nothing in ipairs { {}, { NAN, NAN } } do
    check("sum", 0, 0, nothing)
    check("avg", 0, 0, nothing)
    check("min", NAN, 0, nothing)
    check("max", NAN, 0, nothing)
    check("variance", 0, 0, nothing)
    check("sd", 0, 0, nothing)
end

check("min", -1/0, 2, { -1/0, 1/0 })
check("max", 1/0, 2, { -1/0, 1/0 })
check("max", -5, 2, { -7, -5 })
-- A large offset does not drown the variance.
check("variance", 2/3, 3, { 1e9 + 1, 1e9 + 2, 1e9 + 3 })

is(stats.ndtr(0), 0.5)
is(stats.ndtr(1), 0.8413447460685429, 1e-15)
is(stats.ndtr(-1), 0.15865525393145707, 1e-15)
is(stats.ndtr(0.5), 0.6914624612740131, 1e-15)
is(stats.ndtr(-0.5), 0.3085375387259869, 1e-15)
is(stats.ndtr(3), 0.9986501019683699, 1e-15)
is(stats.ndtr(-10) / 7.61985302416047e-24, 1, 1e-12)
is(stats.ndtr(1/0), 1)
is(stats.ndtr(-1/0), 0)
is(stats.ndtr(NAN), NAN)

local function u(x, y, expected_u, expected_p, ...)
    local found, p = stats.mannwhitneyu(x, y, ...)
    assert(found == expected_u, tostring(found))
    if expected_p then is(p, expected_p, 1e-9) else assert(p == nil) end
end

-- scipy.stats.mannwhitneyu(x, y, alternative="less", method="asymptotic")
u({ 10, 20, 30, 40, 50 }, { 60, 70, 80, 90, 100 }, 0, 0.006092890177672406)
u({ 60, 70, 80, 90, 100 }, { 10, 20, 30, 40, 50 }, 25, 0.006092890177672406)
u({ 10, 20, 30, 40, 50 }, { 60, 70, 80, 90, 100 }, 0, 0.004511719409040163, false)
-- Ties between and within the arrays: U counts half of each pair that is equal.
u({ 1, 2, 2 }, { 2, 3 }, 1, 0.16646080403278296)
-- NaN is the least and equal to NaN.
u({ NAN, NAN, 5 }, { NAN, 6 }, 2, 0.373442816695182)
u({ 1, 1 }, { 1, 1, 1 }, nil)
u({}, { 1, 2 }, nil)
u({ 1, 2 }, {}, nil)
u({}, {}, nil)
u({ 1 }, { 1 }, nil)
u({ 1 }, { 2 }, 0, 0.5)

for name in pairs { sum = 1, avg = 1, min = 1, max = 1, variance = 1, sd = 1, mannwhitneyu = 1 } do
    assert(not pcall(stats[name]), name)
    assert(not pcall(stats[name], 5), name)
end
assert(not pcall(stats.sum, { "no number" }))
