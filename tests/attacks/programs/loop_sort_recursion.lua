-- attack: loops | analysis | contained: stack overflow / instruction_limit exceeded
-- The comparator sorts, whose comparator sorts: recursion through native code.
require "table"
local function compare()
    table.sort({1, 2, 3}, compare)
    return true
end
function process_message()
    table.sort({1, 2, 3}, compare)
    return 0
end
