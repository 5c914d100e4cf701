-- attack: coroutines | output | harmless
-- A coroutine begun during one message reads on in the next, and when there is none.
require "coroutine"
local co = coroutine.wrap(function()
    while true do
        local p = read_message("Payload")
        local zc = read_message("Payload", nil, nil, true)
        pcall(tostring, zc)
        pcall(encode_message, {Payload = "x"})
        coroutine.yield(p)
    end
end)
function process_message()
    assert(co() == read_message("Payload"))
    return 0
end
function timer_event() assert(co() == nil, "HOLE: a message outlived its call") end
