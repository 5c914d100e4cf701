-- attack: coroutines | output | contained: instruction_limit exceeded
-- The limit error of the coroutine is swallowed and the message reported as sent.
require "coroutine"
function process_message()
    for _ = 1, 3 do
        local co = coroutine.create(function() pcall(function() while true do end end) end)
        coroutine.resume(co)
    end
    return 0
end
