-- attack: loops | analysis | either
-- Comparators without any order: always true, never the same, random. Reading outside the array would be a hole.
require "table"
require "math"
function process_message()
    local flip = false
    local orders = {
        function() return true end,
        function() flip = not flip return flip end,
        function() return math.random() < 0.5 end,
        function(a, b) return a >= b end,
    }
    for _, order in ipairs(orders) do
        local t = {}
        for i = 1, 300 do t[i] = i % 17 end
        pcall(table.sort, t, order)
        assert(#t == 300, "HOLE: sort changed the length")
    end
    return 0
end
