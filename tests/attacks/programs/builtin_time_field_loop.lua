-- attack: library bombs | analysis | contained: instruction_limit exceeded / missing
-- os.time asks the table for its fields, and the table loops.
require "os"
function process_message()
    os.time(setmetatable({}, {__index = function() while true do end end}))
    return 0
end
