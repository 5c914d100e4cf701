-- attack: loops | analysis | contained: instruction_limit exceeded
-- The comparator never answers.
require "table"
function process_message()
    table.sort({3, 1, 2}, function() while true do end end)
    return 0
end
