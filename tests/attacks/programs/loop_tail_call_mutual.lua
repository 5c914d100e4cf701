-- attack: loops | analysis | contained: instruction_limit exceeded
-- Two functions that hand over to each other for ever, through a varargs call.
local b
local function a(...) return b(...) end
function b(...) return a(...) end
function process_message() return a(1, 2, 3) end
