-- The module statsd: types, rates, tags, packed values, percentiles, histograms, limits and what is no metric.
require "math"
require "string"
require "table"
local statsd = require "statsd"

local function flush(metrics, seconds)
    local found = {}
    metrics.flush(seconds or 10, function(kind, fields)
        local tags = {}
        for key, value in pairs(fields) do
            local tag = string.match(key, "^tag%.(.*)$")
            if tag then tags[#tags + 1] = tag .. "=" .. value end
        end
        table.sort(tags)
        local key = kind .. " " .. fields.name .. (tags[1] and " " .. table.concat(tags, " ") or "")
        assert(not found[key], key)
        found[key] = fields
    end)
    return found
end

local function bad(found) return found["statsd.counter statsd.bad_lines_seen"].count end

local function near(a, b) assert(math.abs(a - b) < 1e-8, a .. " is not " .. b) end

-- Counters.
local m = statsd.new {}
m.add("hits:1|c\nhits:2|c\r\nhits:|c\nhits:3|c|@0.1\nneg:-2|c\n")
local found = flush(m)
local hits = found["statsd.counter hits"]
assert(hits.count == 34 and hits.rate == 3.4, hits.count)
assert(found["statsd.counter neg"].count == -2)
assert(found["statsd.counter statsd.packets_received"].count == 1)
assert(found["statsd.counter statsd.metrics_received"].count == 5)
assert(bad(found) == 0)
-- A flush begins anew.
assert(flush(m)["statsd.counter hits"] == nil)

-- Gauges keep their value and take signs as changes.
m.add("g:10|g\ng:+5|g\ng:-3.5|g\nfresh:-4|g")
found = flush(m)
assert(found["statsd.gauge g"].value == 11.5 and found["statsd.gauge fresh"].value == -4)
m.add("g:+0.5|g")
assert(flush(m)["statsd.gauge g"].value == 12)

-- Sets.
m.add("users:a|s\nusers:b|s\nusers:a|s\nusers:|s")
assert(flush(m)["statsd.set users"].count == 3)

-- Timers, with the numbers that statsd's own documentation of percentiles leads to.
m = statsd.new { percentiles = { 90, -25, 99.9 }, histogram = { { metric = "t", bins = { 100, 400, "inf" } } } }
for _, value in ipairs { 450, 120, 553, 994, 334, 844, 675, 496 } do m.add("t:" .. value .. "|ms") end
local t = flush(m, 2)["statsd.timer t"]
assert(t.count == 8 and t.count_ps == 4)
assert(t.lower == 120 and t.upper == 994 and t.sum == 4466 and t.mean == 558.25 and t.median == 524.5)
near(t.std, 260.56033370412)
assert(t.count_90 == 7 and t.upper_90 == 844 and t.sum_90 == 3472)
near(t.mean_90, 496)
assert(t.count_top25 == 2 and t.lower_top25 == 844 and t.sum_top25 == 1838)
assert(t.upper_99_9 == 994 and t.sum_squares_99_9 == t.sum_squares)
assert(t["histogram.bin_100"] == 0 and t["histogram.bin_400"] == 2 and t["histogram.bin_inf"] == 6)
m.add("one:7|ms|@0.5\nodd:1|h\nodd:-3|h\nodd:2|d")
found = flush(m)
local one = found["statsd.timer one"]
assert(one.count == 2 and one.median == 7 and one.std == 0 and one.upper_90 == 7 and one.upper_top25 == nil)
assert(found["statsd.histogram odd"].median == 1 and found["statsd.histogram odd"].lower == -3)

-- Tags make series of their own, in whatever order they come.
m.add("r:1|c|#env:prod,zone:a:b,new\nr:1|c|@0.5|#new,zone:a:b,env:prod\nr:1|c\nr:4|c|#env:prod|@0.5|c:ab12|T1700000000")
found = flush(m)
assert(found["statsd.counter r env=prod new= zone=a:b"].count == 3)
assert(found["statsd.counter r"].count == 1 and found["statsd.counter r env=prod"].count == 8)

-- Several values of one name.
m.add("p:1|c:2|c|@0.5:3|c\nq:1:2:3|ms\nq:4|ms:5|ms|#a:b\nv:1|x:2|c")
found = flush(m)
assert(found["statsd.counter p"].count == 8)
assert(found["statsd.timer q"].sum == 10 and found["statsd.timer q a=b"].sum == 5)
assert(found["statsd.counter v"].count == 2 and bad(found) == 1)

-- Names.
m.add("a b\t c/d(e)\195\164_-.;t=1:1|c")
assert(flush(m)["statsd.counter a_b_c-de_-.;t=1"])

-- What is no metric.
local lines = {
    "x", "x:", "x:1", ":1|c", "x:1|", "x:1|y", "x:|g", "x:|ms", "x:-1|ms", "x:a|c", "x:nan|g", "x:inf|g", "x:0x10|c",
    "x:1e999|c", "x:1|c|@0", "x:1|c|@2", "x:1|c|@", "x:1|c|@x", "x:1|c|z", "x:1|c junk", "()|c", "x:--1|g", "x:.|c",
    "x:1|c|#" .. string.rep("a,", 40), string.rep("x", 9000) .. ":1|c", "_e{1,1}:a|b", "\0\255",
}
for _, line in ipairs(lines) do
    m.add(line)
    local got = flush(m)
    assert(bad(got) == 1, line .. ": " .. bad(got))
    assert(got["statsd.counter x"] == nil and got["statsd.gauge x"] == nil and got["statsd.timer x"] == nil, line)
end
m.add_bad_line()
assert(bad(flush(m)) == 1)

-- No bytes make it fail.
math.randomseed(7)
local alphabet = ":|@#,cgsmhd \n-+.e019aT\0"
for _ = 1, 3000 do
    local bytes = {}
    for i = 1, math.random(1, 40) do
        local at = math.random(#alphabet)
        bytes[i] = string.sub(alphabet, at, at)
    end
    m.add(table.concat(bytes))
end
flush(m)

-- Limits: what has no room is dropped and counted, and there is room again after a flush.
m = statsd.new { keys_max = 3, bytes_max = 200 }
m.add("a:1|c\nb:1|c\nc:1|c\nd:1|c\na:1|c")
found = flush(m)
assert(found["statsd.counter a"].count == 2 and found["statsd.counter d"] == nil)
assert(found["statsd.counter statsd.keys_dropped"].count == 1)
for i = 1, 20 do m.add("t:" .. i .. "|ms\ns:" .. i .. "|s") end
found = flush(m)
assert(found["statsd.timer t"].count == 20 and found["statsd.set s"].count < 20)
assert(found["statsd.counter statsd.values_dropped"].count > 10)
m.add("d:1|c")
assert(flush(m)["statsd.counter d"].count == 1)

-- Gauges are forgotten in time, and live in the table that is given.
local kept = {}
m = statsd.new { gauges_kept = 2, gauges = kept, keys_max = 1 }
m.add("g:1|g")
for _ = 1, 3 do assert(flush(m)["statsd.gauge g"].value == 1) end
assert(flush(m)["statsd.gauge g"] == nil and next(kept) == nil)
m.add("g:2|g")
flush(m)
m = statsd.new { gauges = kept }
m.add("g:+1|g")
assert(flush(m)["statsd.gauge g"].value == 3)

assert(not pcall(statsd.new, { percentiles = { 0 } }))
assert(not pcall(statsd.new, { percentiles = 5 }))
assert(not pcall(statsd.new, { histogram = { { metric = "x" } } }))
