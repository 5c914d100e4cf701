-- attack: data structures | analysis | either
-- Structures of absurd sizes: each must be refused before anything is taken.
local string, math = require "string", require "math"
require "circular_buffer" require "cuckoo_filter" require "cuckoo_filter_expire" require "bloom_filter" require "hyperloglog" require "sax"
local sa = {}
for _, name in ipairs({"cm_sketch", "matrix", "p2", "running_stats", "time_series"}) do sa[name] = require("streaming_algorithms." .. name) end
local sizes = {-1e18, -1, 0, 0.5, 1e9, 2^24, 2^31 - 1, 2^31, 2^32 - 1, 2^32, 2^40, 2^53, 2^63, 2^64, 1e18, 1e300, 1/0, -1/0, 0/0, 5e-324, "x", "1e9", {}, true}
local makers = {circular_buffer.new, cuckoo_filter.new, cuckoo_filter_expire.new, bloom_filter.new, hyperloglog.new, sax.window.new, sax.word.new, sa.cm_sketch.new, sa.matrix.new, sa.p2.quantile, sa.p2.histogram, sa.time_series.new}
local big = {[circular_buffer.new] = true, [cuckoo_filter.new] = true, [cuckoo_filter_expire.new] = true, [sa.matrix.new] = true, [sa.time_series.new] = true}
function process_message()
    for _, make in ipairs(makers) do
        for _, a in ipairs(sizes) do
            local ok = pcall(make, a)
            assert(not ok or not big[make] or type(a) ~= "number" or a < 2^24, "HOLE: made something of that size")
            for _, b in ipairs({2, 0.01, a}) do
                ok = pcall(make, a, b)
                assert(not ok or not big[make] or type(a) ~= "number" or a < 2^24, "HOLE: made something of that size")
                pcall(make, b, a)
                ok = pcall(make, a, b, 60)
                assert(not ok or not big[make] or type(a) ~= "number" or a < 2^24, "HOLE: made something of that size")
                pcall(make, b, a, 2) pcall(make, 4, 2, a) pcall(make, 4, b, "int") pcall(make, 2^16, 2^16, a)
            end
        end
    end
    assert(not pcall(sa.cm_sketch.new, 5e-324, 5e-324) and not pcall(sa.cm_sketch.new, 1e-9, 1e-9) and not pcall(bloom_filter.new, 2^40, 1e-300), "HOLE: made something of that size")
    return 0
end
function timer_event() end
