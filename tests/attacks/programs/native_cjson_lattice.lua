-- attack: json | analysis | contained: instruction_limit exceeded
-- Fifty tables that stand for a text of 2^50 items.
local cjson = require "cjson"
local list, empty = {}, {}
for _ = 1, 50 do list = {list, list} end
for _ = 1, 50 do empty = {empty, empty, a = empty} end
function process_message()
    while true do
        assert(not pcall(cjson.encode, list), "HOLE: a text of 2^50 items")
        pcall(cjson.encode, empty)
    end
end
function timer_event() end
