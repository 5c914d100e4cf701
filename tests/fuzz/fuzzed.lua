-- The plugin to which mutated state files are given.
count = 0
require "circular_buffer"
require "hyperloglog"
require "bloom_filter"
require "cuckoo_filter"
require "cuckoo_filter_expire"
require "sax"
require "streaming_algorithms.cm_sketch"
require "streaming_algorithms.matrix"
require "streaming_algorithms.p2"
require "streaming_algorithms.running_stats"
require "streaming_algorithms.time_series"
function process_message()
    return 0
end
function timer_event() end
