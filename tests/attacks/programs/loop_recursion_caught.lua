-- attack: loops | analysis | contained: instruction_limit exceeded / not enough memory
-- Recursion without end whose overflow is caught again and again.
local function f(x) return 1 + f(x) end
function process_message()
    while true do pcall(f, 1) end
end
