-- attack: data structures | analysis | contained: instruction_limit exceeded
-- Filters that are full, asked again and again for room; and keys of a megabyte.
require "cuckoo_filter" require "cuckoo_filter_expire" require "bloom_filter" require "hyperloglog"
local long = (require "string").rep("key", 500000)
local cf, ce, bf, hll = cuckoo_filter.new(5), cuckoo_filter_expire.new(257, 1), bloom_filter.new(2, 0.5), hyperloglog.new()
local i = 0
function process_message()
    while true do
        i = i + 1
        pcall(cf.add, cf, i) pcall(ce.add, ce, i, i) pcall(ce.add, ce, i, i * 1e15) pcall(bf.add, bf, i) pcall(hll.add, hll, i)
        pcall(cf.add, cf, long) pcall(ce.add, ce, long, i) pcall(bf.add, bf, long) pcall(hll.add, hll, long)
    end
end
function timer_event() end
