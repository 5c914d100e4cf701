-- attack: library bombs | analysis | contained: stack overflow / too many / not enough memory / instruction_limit exceeded
-- A varargs call that grows without end.
local function grow(...) return grow(1, 2, 3, ...) end
function process_message() return grow() end
