-- attack: library bombs | analysis | contained: instruction_limit exceeded / not enough memory
-- Always inserts at the front.
require "table"
function process_message()
    local t = {}
    while true do table.insert(t, 1, #t) end
end
