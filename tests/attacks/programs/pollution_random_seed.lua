-- attack: pollution | analysis | either
-- Seeds the random numbers, which must be the plugin's own.
require "math"
function process_message()
    for i = 1, 100 do math.randomseed(i) end
    math.randomseed(42)
    return 0
end
