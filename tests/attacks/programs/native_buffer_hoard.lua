-- attack: data structures | analysis | contained: not enough memory / instruction_limit exceeded
-- Structures live outside of Lua's heap: those must count as well.
require "circular_buffer" require "cuckoo_filter" require "bloom_filter" require "hyperloglog"
local matrix, time_series = require "streaming_algorithms.matrix", require "streaming_algorithms.time_series"
local keep = {}
function process_message()
    while true do
        local n = #keep
        keep[n + 1], keep[n + 2], keep[n + 3] = circular_buffer.new(100, 10, 1), cuckoo_filter.new(10000), bloom_filter.new(10000, 0.01)
        keep[n + 4], keep[n + 5], keep[n + 6] = hyperloglog.new(), matrix.new(100, 100), time_series.new(1000, 1)
    end
end
function timer_event() end
