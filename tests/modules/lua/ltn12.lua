-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

-- ltn12: sources, sinks, filters and pumps, with failures on either side.

require "io"
require "os"
require "string"
require "table"
local ltn12 = require "ltn12"
local source, sink, filter, pump = ltn12.source, ltn12.sink, ltn12.filter, ltn12.pump

local function gather(s)
    local take, array = sink.table()
    local ok, err = pump.all(s, take)
    return ok and table.concat(array), err
end

assert(gather(source.empty()) == "")
assert(gather(source.string("text")) == "text")
assert(gather(source.string(nil)) == "")
local long = string.rep("0123456789", 1000)
local first = source.string(long)
assert(#first() == ltn12.BLOCKSIZE)
assert(gather(source.string(long)) == long)
assert(gather(source.table { "a", "b", "c" }) == "abc")
assert(not pcall(source.table, "a"))
assert(gather(source.cat(source.string("a"), source.empty(), source.string("b"))) == "ab")

local text, err = gather(source.error("no luck"))
assert(not text and err == "no luck")
text, err = gather(source.cat(source.string("a"), source.error("half way"), source.string("b")))
assert(not text and err == "half way")
text, err = gather(source.chain(source.error("below"), string.upper))
assert(not text and err == "below")

-- files
local path = os.tmpname()
assert(pump.all(source.string(long), sink.file(io.open(path, "w"))))
assert(gather(source.file(io.open(path))) == long)
os.remove(path)
text, err = gather(source.file(nil))
assert(not text and err == "unable to open file")
text, err = gather(source.file(nil, "my words"))
assert(not text and err == "my words")
local ok
ok, err = pump.all(source.string("x"), sink.file(nil, "nowhere"))
assert(not ok and err == "nowhere")

-- rewind and simplify
local again = source.rewind(source.string("rest"))
again("first ")
assert(gather(again) == "first rest")
local function two() return "2", nil end
local function one() return "1", two end
local simple = source.simplify(one)
assert(simple() == "1" and simple() == "2" and simple() == "2")
local seen = {}
local function second(chunk) seen[#seen + 1] = "second " .. tostring(chunk); return 1 end
local function begin(chunk) seen[#seen + 1] = "first " .. tostring(chunk); return 1, second end
assert(pump.all(source.table { "a", "b" }, sink.simplify(begin)))
assert(table.concat(seen, ",") == "first a,second b,second nil")

-- sinks
assert(pump.all(source.string("x"), sink.null()))
ok, err = pump.all(source.string("x"), sink.error("full"))
assert(not ok and err == "full")
local array = {}
assert(select(2, sink.table(array)) == array)

-- filters: one that holds back, one that gives more, both chained
local function by_two(rest, chunk)
    if not chunk then return rest ~= "" and rest or nil, "" end
    local all = rest .. chunk
    local even = #all - #all % 2
    return all:sub(1, even), all:sub(even + 1)
end
local function bracket(chunk)
    if chunk and chunk ~= "" then return "[" .. chunk .. "]" end
    return chunk
end
local function upper(chunk)
    return chunk and chunk:upper()
end
assert(gather(source.chain(source.table { "a", "bc", "d", "e" }, filter.cycle(by_two, ""))) == "abcde")
assert(gather(source.chain(source.table { "a", "bc", "d", "e" }, filter.cycle(by_two, ""), bracket, upper))
    == "[AB][CD][E]")
local take
take, array = sink.table()
assert(pump.all(source.table { "a", "bc", "d", "e" }, sink.chain(filter.cycle(by_two, ""), bracket, take)))
assert(table.concat(array) == "[ab][cd][e]")
ok, err = pump.all(source.string("x"), sink.chain(upper, sink.error("full")))
assert(not ok and err == "full")
-- Something comes only at the end.
local function only_last(state, chunk)
    if chunk then return "", state .. chunk end
    if state == "" then return nil, "" end
    return state, ""
end
assert(gather(source.chain(source.table { "a", "b" }, filter.chain(filter.cycle(only_last, ""), upper))) == "AB")
assert(gather(source.chain(source.string("x"), filter.chain(upper))) == "X")

-- a step of one's own
local steps = 0
assert(pump.all(source.table { "a", "b" }, sink.null(), function(from, to)
    steps = steps + 1
    return pump.step(from, to)
end))
assert(steps == 3)
assert(not pcall(pump.all, source.empty()))
assert(not pcall(filter.cycle))
