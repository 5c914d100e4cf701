-- attack: store | output | contained: not enough memory / instruction_limit exceeded
-- Deliveries that wait for a store that is not there count as memory.
require "string"
local object_store = require "object_store"
local store = object_store.open("s3://nowhere", { endpoint = "http://127.0.0.1:1", credentials = "none" })
function process_message()
    local piece = string.rep("x", 100000)
    for n = 1, 1000 do assert(store:put("k" .. n, piece)) end
    return 0
end
function timer_event() end
