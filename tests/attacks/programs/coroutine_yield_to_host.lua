-- attack: coroutines | output | contained: yield
-- Yields where the host called: there is nobody to yield to.
require "coroutine"
function process_message()
    coroutine.yield(0)
    return 0
end
