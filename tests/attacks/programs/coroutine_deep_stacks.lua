-- attack: coroutines | output | contained: not enough memory / instruction_limit exceeded / stack overflow
-- Suspended coroutines, each with a stack as deep as can be.
require "coroutine"
local function deep(n)
    if n == 0 then coroutine.yield() return 0 end
    return 1 + deep(n - 1)
end
function process_message()
    local t = {}
    while true do
        local co = coroutine.create(deep)
        coroutine.resume(co, 5000)
        t[#t + 1] = co
    end
end
