-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Statistics: of arrays of numbers, some of which may be unknown

## Functions

Those of the first group take an array and optionally the first and the last index, and return the result and how
many elements it is made of. Elements that are NaN or absent are left out.

| function | result | of nothing |
|---|---|---|
| `sum(array, first, last)` | the sum | 0 |
| `avg(...)` | the mean | 0 |
| `min(...)`, `max(...)` | the least, the greatest | NaN |
| `variance(...)` | the mean square distance from the mean (of the population, not of a sample) | 0 |
| `sd(...)` | its square root | 0 |

`ndtr(x)` is the probability that a normally distributed variable (mean 0, deviation 1) is at most `x`.

`mannwhitneyu(x, y [, continuity])` compares two arrays of independent observations by their ranks: do those of one
tend to be greater? It returns U of `x` and the probability of such a difference, or a greater one, by chance: one-sided,
from the normal approximation (each array should have more than 20 elements), corrected for ties and, unless
`continuity` is false, for continuity. For the two-sided probability take it twice. NaN counts as less than every
number. It returns nothing when all observations are equal or one array is empty, since ranks then say nothing.
--]]

require "math"
require "table"

local abs, erfc, huge, max_of, sqrt = math.abs, math.erfc, math.huge, math.max, math.sqrt
local sort = table.sort

local M = {}
setfenv(1, M)

function sum(array, first, last)
    local total, count = 0, 0
    for i = first or 1, last or #array do
        local v = array[i]
        if v and v == v then
            total = total + v
            count = count + 1
        end
    end
    return total, count
end

function avg(array, first, last)
    local total, count = sum(array, first, last)
    if count == 0 then return 0, 0 end
    return total / count, count
end

-- The element that `is_better` prefers to all others.
local function extreme(array, first, last, worst, is_better)
    local best, count = worst, 0
    for i = first or 1, last or #array do
        local v = array[i]
        if v and v == v then
            if is_better(v, best) then best = v end
            count = count + 1
        end
    end
    if count == 0 then return 0/0, 0 end
    return best, count
end

local function is_less(a, b) return a < b end
local function is_greater(a, b) return a > b end

function min(array, first, last)
    return extreme(array, first, last, huge, is_less)
end

function max(array, first, last)
    return extreme(array, first, last, -huge, is_greater)
end

function variance(array, first, last)
    local mean, count = avg(array, first, last)
    if count == 0 then return 0, 0 end
    local squares = 0
    for i = first or 1, last or #array do
        local v = array[i]
        if v and v == v then squares = squares + (v - mean) * (v - mean) end
    end
    return squares / count, count
end

function sd(array, first, last)
    local square, count = variance(array, first, last)
    return sqrt(square), count
end

function ndtr(x)
    -- The complement keeps its digits in the far tail, where 1 + erf would lose them.
    return erfc(-x / sqrt(2)) / 2
end

-- NaN before all numbers, so that the order is a strict one.
local function is_before(a, b)
    a, b = a.value, b.value
    if a ~= a then return b == b end
    return a < b
end

local function is_tie(a, b)
    return a == b or (a ~= a and b ~= b)
end

-- Gives each observation its rank, ties the mean of theirs; returns the sum of t^3 - t over all groups of t ties.
local function rank(observations)
    local n, from, ties = #observations, 1, 0
    while from <= n do
        local to = from
        while to < n and is_tie(observations[from].value, observations[to + 1].value) do to = to + 1 end
        for i = from, to do observations[i].rank = (from + to) / 2 end
        local t = to - from + 1
        ties = ties + t * t * t - t
        from = to + 1
    end
    return ties
end

function mannwhitneyu(x, y, continuity)
    local n1, n2 = #x, #y
    if n1 == 0 or n2 == 0 then return end
    local n = n1 + n2
    local all = {}
    for i = 1, n1 do all[i] = { value = x[i], is_x = true } end
    for i = 1, n2 do all[n1 + i] = { value = y[i] } end
    sort(all, is_before)
    local correction = 1 - rank(all) / (n * n * n - n)
    if correction == 0 then return end

    local ranks = 0
    for i = 1, n do
        if all[i].is_x then ranks = ranks + all[i].rank end
    end
    local u1 = ranks - n1 * (n1 + 1) / 2
    local distance = max_of(u1, n1 * n2 - u1) - n1 * n2 / 2
    if continuity ~= false then distance = distance - 0.5 end
    return u1, ndtr(-abs(distance / sqrt(correction * n1 * n2 * (n + 1) / 12)))
end

return M
