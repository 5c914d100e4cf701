-- kind: analysis
-- Values, deltas, ranges, headers and output forms of circular buffers.
require "string"
require "math"
local circular_buffer_module = require "circular_buffer"
assert(circular_buffer_module == circular_buffer, "require sets the global")
assert(circular_buffer.version() == "1.0.2")

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err) .. " instead of " .. text)
end
local function nan(v) return v ~= v end
local new = circular_buffer.new

-- Wrong measures.
fails("bad argument #0 to '?' (incorrect number of arguments)", new, 2)
fails("bad argument #0 to '?' (incorrect number of arguments)", new, 2, 1, 1, 1)
fails("bad argument #1 to '?' (number expected, got nil)", new, nil, 1, 1)
for _, rows in ipairs{1, 0, -1, 0/0, -1/0, -1e300} do fails("rows must be > 1", new, rows, 1, 1) end
for _, columns in ipairs{0, 257, -1, 1e18, 0/0} do fails("columns must be > 0 and <= 256", new, 2, columns, 1) end
for _, seconds in ipairs{0, -1, 0/0, -1e18} do fails("seconds_per_row is out of range", new, 2, 1, seconds) end
fails("not enough memory", new, 1e18, 1, 1)
fails("not enough memory", new, 2^31 - 1, 256, 2^31 - 1)
fails("not enough memory", new, 1/0, 256, 1/0)

-- The window.
local cb = new(3, 2, 10)
assert(cb:current_time() == 20e9)
local rows, columns, seconds = cb:get_configuration()
assert(rows == 3 and columns == 2 and seconds == 10)
assert(nan(cb:get(0, 1)) and nan(cb:get_delta(29.9e9, 2)))
assert(cb:get(30e9, 1) == nil, "newer than the window")
assert(cb:add(9e9, 1, 5) == 5 and cb:add(0, 1, 2) == 7 and cb:get(5e9, 1) == 7)
assert(cb:set(20e9, 2, 4) == 4 and cb:set(20e9, 2, 3) == 3)
assert(cb:add(35e9, 1, 1) == 1, "moves on by a row")
assert(cb:current_time() == 30e9)
assert(cb:get(0, 1) == nil and cb:add(9e9, 1, 1) == nil and cb:set(9e9, 1, 1) == nil, "too old")
assert(cb:get(20e9, 2) == 3 and nan(cb:get(30e9, 2)))
assert(cb:set(1000e9, 1, 1) == 1, "moves over everything")
assert(nan(cb:get(990e9, 1)) and cb:get(1009e9, 1) == 1)
assert(cb:add(-1e18, 1, 1) == nil and cb:get(0/0, 1) == nil)
assert(cb:add(1e300, 1, 1) == 1 and cb:add(1/0, 1, 1) == 2, "the end of time")
assert(cb:get(1e300, 1) == 2)

-- Wrong arguments; the window moves before the column is looked at.
cb = new(2, 1, 1)
fails("column out of range", cb.set, cb, 0, 2, 1)
fails("column out of range", cb.set, cb, 0, 0, 1)
fails("column out of range", cb.get, cb, 0, -1)
fails("column out of range", cb.get_range, cb, 1e18)
fails("bad argument #2 to '?' (number expected, got nil)", cb.set, cb, nil, 1, 1)
fails("bad argument #4 to '?' (number expected, got string)", cb.add, cb, 0, 1, "x")
fails("mozsvc.circular_buffer expected, got number", cb.get, 1, 1, 1)
fails("incorrect number of arguments", cb.add, cb, 0)
fails("incorrect number of arguments", cb.get_range, cb)
fails("cannot uninitialize a value", function() cb:set(0, 1, 1) cb:set(0, 1, 0/0) end)
fails("cannot uninitialize a value", cb.add, cb, 0, 1, 0/0)
fails("add produced a NAN", function() cb:set(0, 1, 1/0) cb:add(0, 1, -1/0) end)
assert(cb:get(0, 1) == 1/0, "an error changes nothing")
local ok, err = pcall(function() cb:get(0) end)
assert(string.find(err, "bad argument #-1 to 'get' (incorrect number of arguments)", 1, true), err)

-- Ranges.
local range = new(5, 1, 1)
for i = 1, 5 do range:set(i * 1e9, 1, i) end
local function same(a, ...)
    local b = {...}
    assert(#a == #b, #a)
    for i = 1, #b do assert(a[i] == b[i] or (nan(a[i]) and nan(b[i]))) end
end
same(range:get_range(1), 1, 2, 3, 4, 5)
same(range:get_range(1, 3e9, 4e9), 3, 4)
same(range:get_range(1, 3e9), 3, 4, 5)
same(range:get_range(1, nil, 2e9), 1, 2)
same(range:get_range(1, 5e9, 5e9), 5)
same(range:get_range_delta(1), 1, 2, 3, 4, 5)
assert(range:get_range(1, 11e9, 14e9) == nil and range:get_range(1, 0, 3e9) == nil)
fails("end must be >= start", range.get_range, range, 1, 2e9, 1e9)
fails("end must be >= start", range.get_range, range, 1, 0/0)

-- Headers.
local h = new(2, 2, 1)
assert(h:set_header(1, "Total size (all hosts)", "KiB/s per host", "max") == 1)
local name, unit, aggregation = h:get_header(1)
assert(name == "Total_size__all" and unit == "KiB/s_p" and aggregation == "max")
name, unit, aggregation = h:get_header(2)
assert(name == "Column_2" and unit == "count" and aggregation == "sum")
h:set_header(2, "a\0b\255", "*/", "none")
assert(h:get_header(2) == "a")
fails("invalid option 'avg'", h.set_header, h, 1, "a", "b", "avg")
fails("column out of range", h.get_header, h, 99)
fails("incorrect number of arguments", h.get_header, h)

-- How columns aggregate, and what counts as a change.
local agg = new(2, 4, 1)
for i, kind in ipairs{"sum", "min", "max", "none"} do agg:set_header(i, kind, "count", kind) end
for i, v in ipairs{0, -2, -3, 4} do assert(agg:add(0, i, v) == v) end
assert(agg:get_delta(0, 1) == 0 and agg:get_delta(0, 2) == -2 and agg:get_delta(0, 3) == -3 and nan(agg:get_delta(0, 4)))
agg:reset_delta()
assert(agg:set(0, 1, 0) == 0 and agg:set(0, 2, -1) == -2 and agg:set(0, 3, -4) == -3 and agg:set(0, 4, 4) == 4)
for i = 1, 4 do assert(nan(agg:get_delta(0, i)), "nothing changed") end
agg:add(0, 1, 3)
assert(agg:add(0, 1, 2) == 5 and agg:get_delta(0, 1) == 5)
assert(agg:set(0, 1, 4) == 4 and agg:get_delta(0, 1) == 4)
assert(agg:set(0, 2, -3) == -3 and agg:get_delta(0, 2) == -3)
assert(agg:set(0, 3, 9) == 9 and agg:get_delta(0, 3) == 9)
assert(agg:set(0, 4, 5) == 5 and nan(agg:get_delta(0, 4)))
local inf = new(2, 1, 1)
assert(inf:set(0, 1, 1/0) == 1/0 and inf:get_delta(0, 1) == 1/0)
assert(nan(new(2, 1, 1):set(3e9, 1, 0/0)), "no value moves the window too")

-- State as a string.
local s = new(2, 2, 1)
s:fromstring("1 1 1 2 3 4 0 3 4")
assert(s:get(0, 1) == 1 and s:get(1e9, 2) == 4 and s:get_delta(0, 2) == 4 and nan(s:get_delta(1e9, 1)))
s:fromstring("  7\t1\n inf -inf nan 1.5e300")
assert(s:current_time() == 7e9 and s:get(6e9, 1) == 1/0 and s:get(7e9, 2) == 1.5e300)
fails("fromstring() too few values: 0, expected 4", s.fromstring, s, "")
fails("fromstring() too few values: 3, expected 4", s.fromstring, s, "1 1 1 2 3")
fails("fromstring() too few values: 1, expected 4", s.fromstring, s, "1 1 1 x 3 4")
fails("fromstring() invalid delta", s.fromstring, s, "1 1 1 2 3 4 0 3")
fails("fromstring() too many values, more than: 4", s.fromstring, s, "1 1 1 2 3 4 x")
fails("string expected, got table", s.fromstring, s, {})
assert(s:get(7e9, 2) == 1.5e300, "an error changes nothing")
s:fromstring("9223372036854775807 0 1 2 3 4 1 1 1")
s:fromstring("-9223372036854775808 0 1 2 3 4 1 1 1")
assert(s:add(0, 1, 1) == 1)

-- Formats and annotations.
fails("invalid option 'invalid'", s.format, s, "invalid")
fails("incorrect number of arguments", s.format, s, "cbuf", true)
fails("incorrect number of arguments", s.format, s)
assert(s:format("cbufd") == s)
fails("delta must be boolean", s.annotate, s, 0, 1, "info", "text", 1)
fails("invalid option 'debug'", s.annotate, s, 0, 1, "debug", "text")
fails("column out of range", s.annotate, s, 0, 3, "info", "text")
fails("incorrect number of arguments", s.annotate, s, 0, 1, "info")
assert(select("#", s:annotate(0, 1, "alert", "text", nil)) == 0)
