-- attack: loops | analysis | contained: stack overflow / not enough memory / instruction_limit exceeded
-- Plain recursion without end.
local function f(x) return 1 + f(x) end
function process_message() return f(1) end
