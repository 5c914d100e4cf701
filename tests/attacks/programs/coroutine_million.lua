-- attack: coroutines | output | contained: not enough memory / instruction_limit exceeded
-- Keeps every coroutine it makes.
require "coroutine"
function process_message()
    local t = {}
    while true do
        local co = coroutine.create(function() coroutine.yield() end)
        coroutine.resume(co)
        t[#t + 1] = co
    end
end
