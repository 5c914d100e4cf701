-- attack: patterns | analysis | either
-- Only quadratic, but on two million letters.
require "string"
function process_message()
    string.find(string.rep("a", 2000000), ".-b")
    return 0
end
