-- attack: loops | analysis | either
-- The comparator shrinks, grows and clears the table that is being sorted, and sorts it again from within.
require "table"
function process_message()
    local t = {}
    for i = 1, 500 do t[i] = 500 - i end
    pcall(table.sort, t, function(a, b)
        t[#t + 1] = 1
        t[1] = nil
        return (a or 0) < (b or 0)
    end)
    t = {}
    for i = 1, 500 do t[i] = 500 - i end
    local depth = 0
    pcall(table.sort, t, function(a, b)
        depth = depth + 1
        if depth < 300 then pcall(table.sort, t, function(x, y) for k in pairs(t) do t[k] = nil end return false end) end
        return (a or 0) < (b or 0)
    end)
    return 0
end
