-- attack: loops | analysis | contained: instruction_limit exceeded
-- The replacement function never answers.
require "string"
function process_message()
    string.gsub("abc", ".", function() while true do end end)
    return 0
end
