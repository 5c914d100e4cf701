-- attack: coroutines | output | contained: instruction_limit exceeded
-- The coroutine is older than the call and than any hook set for it.
require "coroutine"
local co = coroutine.create(function()
    coroutine.yield()
    while true do end
end)
coroutine.resume(co)
function process_message()
    coroutine.resume(co)
    return 0
end
