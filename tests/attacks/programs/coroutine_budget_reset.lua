-- attack: coroutines | output | contained: instruction_limit exceeded
-- Each coroutine runs a little only: what they use must add up.
require "coroutine"
function process_message()
    while true do
        coroutine.wrap(function() for i = 1, 1000 do local x = i * 2 end end)()
    end
end
