-- attack: json | analysis | contained: instruction_limit exceeded
-- Tables that hold themselves, with the limit of depth off, without end.
local cjson = require "cjson"
pcall(cjson.encode_max_depth, 2^31 - 1)
pcall(cjson.encode_sparse_array, true)
local list, object, two = {}, {}, {}
list[1], list[2] = list, list
object.a, object.b = object, object
two[1], two[2] = {two, two}, {x = two}
function process_message()
    while true do
        for _, t in ipairs({list, object, two}) do assert(not pcall(cjson.encode, t), "HOLE: a cycle was written") end
    end
end
function timer_event() end
