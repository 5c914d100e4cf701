-- attack: loops | analysis | contained: instruction_limit exceeded / stack overflow
-- Recursion through pcall, which has a frame of C at each level; each overflow is caught and starts anew.
local function f() pcall(f) return f() end
function process_message()
    while true do pcall(f) end
end
