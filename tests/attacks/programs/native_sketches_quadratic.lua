-- attack: data structures | analysis | contained: instruction_limit exceeded
-- Work that grows with the square of the size, on the largest sizes that fit.
local matrix, time_series = require "streaming_algorithms.matrix", require "streaming_algorithms.time_series"
local m, ts = matrix.new(1000, 1000), time_series.new(100000, 1)
for i = 1, 1000 do m:set(1, i, i) m:set(i, 1, i) end
for i = 0, 99999, 7 do ts:set(i, i % 1000) end
function process_message()
    pcall(ts.matrix_profile, ts, nil, 100000, 1000, 100)
    pcall(ts.matrix_profile, ts, nil, 100000, 4, 100, "mp")
    while true do
        pcall(m.pcc, m, 1) pcall(m.merge, m, m) pcall(ts.merge, ts, ts) pcall(ts.stats, ts, nil, 100000, "sd", true) pcall(m.sum, m, 1)
    end
end
function timer_event() end
