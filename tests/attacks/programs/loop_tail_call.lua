-- attack: loops | analysis | contained: instruction_limit exceeded
-- Tail calls use no stack, so only the count ends them.
local function a(n) return a(n + 1) end
function process_message() return a(0) end
