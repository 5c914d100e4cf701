-- attack: loops | analysis | contained: instruction_limit exceeded
-- The replacement table answers through an __index that loops.
require "string"
function process_message()
    string.gsub("abc", ".", setmetatable({}, {__index = function() while true do end end}))
    return 0
end
