-- attack: json | input | either
-- Messages whose payload is a gzip bomb of JSON, parsed out of a stream reader.
require "rjson"
local zlib = require "zlib"
local string = require "string"
local reader = create_stream_reader("r")
local deflate = zlib.deflate(9, 31)
local bomb = deflate("[")
for _ = 1, 100 do bomb = bomb .. deflate(string.rep("[],", 10000)) end
bomb = bomb .. deflate("1]", "finish")
local math = require "math"
local message = "\10\16" .. string.rep("u", 16) .. "\16\1" .. "\50" .. string.char(#bomb % 128 + 128, math.floor(#bomb / 128)) .. bomb
function process_message()
    assert(#bomb > 127 and #bomb < 16384)
    reader:decode_message(message)
    for _, name in ipairs({"Payload", "Fields[g]", "Fields[d]", "Fields[s]", "Fields[none]", "Fields[", "", "raw", "Timestamp"}) do
        for _, i in ipairs({0, 1, -1, 1e18, 0/0}) do
            local ok, doc = pcall(rjson.parse_message, reader, name, i, i)
            assert(not ok or doc:size() < 70000, "HOLE: a document larger than any message")
        end
        pcall(rjson.parse_message, name) pcall(rjson.parse_message, reader)
    end
    return 0
end
function timer_event() end
