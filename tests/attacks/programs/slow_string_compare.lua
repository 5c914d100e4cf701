-- attack: slow instructions | analysis | contained: instruction_limit exceeded
-- Comparisons of strings that differ in their last byte.
require "string"
local a, b = string.rep("x", 2000000) .. "a", string.rep("x", 2000000) .. "b"
function process_message()
    local n = 0
    while true do
        if a < b then n = n + 1 end
        if b <= a then n = n - 1 end
    end
end
