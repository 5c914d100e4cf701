-- attack: library bombs | analysis | either
-- table.insert and table.remove at places that are none.
require "table"
function process_message()
    for _, n in ipairs({2^31 - 1, -2^31, 2^53, -2^53, 2^63, 1/0, -1/0, 0/0, 1e300, 0, -1, 0.5}) do
        local t = {1, 2, 3}
        pcall(table.insert, t, n, "x")
        pcall(table.remove, t, n)
        pcall(table.remove, {}, n)
        pcall(table.insert, {}, n, 1)
    end
    pcall(table.insert, {}, 1, 2, 3)
    pcall(table.insert, {})
    pcall(table.insert, setmetatable({}, {__newindex = error, __len = error, __index = error}), 1)
    return 0
end
