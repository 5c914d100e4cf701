-- kind: analysis
-- Matrices of both kinds: cells, rows, correlation, merging.
require "string"
require "math"
local matrix = require "streaming_algorithms.matrix"
assert(streaming_algorithms.matrix == matrix)

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
local function near(a, b) assert(math.abs(a - b) < 1e-9, a) end
local function fill(m, rows)
    for r, row in ipairs(rows) do
        for c, v in ipairs(row) do m:add(r, c, v) end
    end
    return m
end

for _, kind in ipairs{"int", "float"} do
    local m = matrix.new(3, 2, kind)
    local rows, columns = m:get_configuration()
    assert(rows == 3 and columns == 2)
    assert(m:set(2, 1, 1.5) == (kind == "int" and 1 or 1.5))
    assert(m:add(2, 1, 2) == (kind == "int" and 3 or 3.5))
    m:set(1, 1, 7)
    assert(m:get_row(1)[1] == 7 and #m:get_row(1) == 2)
    m:clear_row(1)
    local empty = m:get(1, 1)
    assert(kind == "int" and empty == 0 or empty ~= empty)

    m = fill(matrix.new(4, 4, kind), {{1, 2, 5, 10}, {0, 1, 2, 3}, {-1, 0, 7, 26}, {1, 2, 3, 4}})
    local c, row = m:pcc(4)
    near(c, 1) assert(row == 2)
    c, row = m:pcc(4, "min")
    near(c, 0.90765069670774) assert(row == 3)
    m:clear_row(2)
    c, row = m:pcc(4)
    near(c, 0.95831484749991) assert(row == 1)
    c, row = m:pcc(4, "min")
    assert(row == 3, "a row without deviation has no coefficient")
    assert(m:sum(4) == 10 and m:sum(3) == 32)
    assert(select("#", matrix.new(2, 5, kind):pcc(2)) == 0)

    local copy = matrix.new(4, 4, kind)
    assert(select("#", copy:merge(m)) == 0)
    assert(copy:get(3, 4) == 26 and copy:sum(4) == 10)
    copy:merge(m, "add")
    assert(copy:get(3, 4) == 52)
    copy:merge(copy)
    assert(copy:get(3, 4) == 104)
    copy:merge(copy, "set")
    copy:merge(m, "set")
    assert(copy:get(3, 4) == 26)
    local small = matrix.new(1, 2, kind)
    small:merge(m)
    assert(small:get(1, 2) == 2)
    copy:fromstring(tostring(m))
    assert(tostring(copy) == tostring(m) and #tostring(m) == 8 + 4 * 16)
    fails("invalid serialization", small.fromstring, small, tostring(m))
    fails("invalid serialization", small.fromstring, small, string.rep("\1", 16))

    fails("must be > 0", matrix.new, 0, 1, kind)
    fails("must be > 0", matrix.new, 2, -1, kind)
    fails("must be > 0", matrix.new, 0/0, 1, kind)
    fails("not enough memory", matrix.new, 1e18, 1e18, kind)
    for _, bad in ipairs{0, 5, -1, 1e18, 0/0} do
        fails("invalid row", m.get, m, bad, 1)
        fails("invalid col", m.set, m, 1, bad, 1)
        fails("invalid row", m.sum, m, bad)
    end
    fails("incorrect number of arguments", m.set, m, 1)
    fails("incorrect number of arguments", m.get, m)
    fails("number expected, got boolean", m.get_row, m, true)
    fails("number expected, got nil", m.set, m, 1, 1, nil)
    fails("invalid option 'mean'", m.pcc, m, 1, "mean")
    fails("invalid option 'sub'", m.merge, m, m, "sub")
    fails("matrix_" .. (kind == "int" and "int" or "flt") .. " expected", m.get, 1, 1, 1)
end

fails("invalid option 'bool'", matrix.new, 2, 1, "bool")
fails("matrix_int expected, got userdata", function() matrix.new(2, 1):merge(matrix.new(2, 1, "float")) end)
-- Whole numbers stay in their range.
local m = matrix.new(1, 1)
assert(m:set(1, 1, 2^31 - 1) == 2^31 - 1 and m:add(1, 1, 5) == 2^31 - 1)
assert(m:set(1, 1, -2^31) == -2^31 and m:add(1, 1, -1e18) == -2^31 and m:get(1, 1) == -2^31)
local f = matrix.new(2, 2, "float")
f:set(1, 1, 1/0)
assert(f:get(1, 1) == 1/0 and f:sum(1) == 1/0 and select("#", f:pcc(1)) == 0)
