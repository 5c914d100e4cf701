-- attack: coroutines | output | contained: instruction_limit exceeded
-- The loop runs in a coroutine, whose hook may not be the main one's; the resume hides its end.
require "coroutine"
function process_message()
    coroutine.resume(coroutine.create(function() while true do end end))
    return 0
end
