-- attack: coroutines | output | contained: instruction_limit exceeded
-- Two coroutines that yield to each other for ever.
require "coroutine"
function process_message()
    local a = coroutine.wrap(function() while true do coroutine.yield(1) end end)
    local b = coroutine.wrap(function() while true do coroutine.yield(a()) end end)
    while true do b() end
end
