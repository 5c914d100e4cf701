-- attack: coroutines | output | contained: instruction_limit exceeded
-- The same through wrap, caught.
require "coroutine"
function process_message()
    while true do
        pcall(coroutine.wrap(function() while true do end end))
    end
end
