-- attack: coroutines | output | either
-- Each coroutine resumes a new one: a C stack frame each.
require "coroutine"
local depth = 0
local function f()
    depth = depth + 1
    return coroutine.resume(coroutine.create(f))
end
function process_message()
    f()
    return 0
end
