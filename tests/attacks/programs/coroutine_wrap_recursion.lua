-- attack: coroutines | output | contained: stack overflow / instruction_limit exceeded / not enough memory
-- The same by wrap, where the error travels through all of them.
require "coroutine"
local function f() return coroutine.wrap(f)() end
function process_message() return f() end
