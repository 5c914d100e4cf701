-- attack: data structures | output | contained: instruction_limit exceeded / not enough memory
-- Objects of all kinds made and dropped without end: the collector must see how much they hold.
local lpeg, zlib = require "lpeg", require "zlib"
require "rjson" require "circular_buffer" require "hyperloglog" require "cuckoo_filter"
local matrix = require "streaming_algorithms.matrix"
local text = "[" .. (require "string").rep("1,", 10000) .. "1]"
function process_message()
    while true do
        circular_buffer.new(1000, 100, 1) hyperloglog.new() cuckoo_filter.new(100000) matrix.new(500, 500) rjson.parse(text) zlib.deflate(9) zlib.inflate()
        local p = lpeg.P(text) ^ 0
        p:match(text)
    end
end
