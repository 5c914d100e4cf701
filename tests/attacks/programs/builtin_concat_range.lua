-- attack: library bombs | analysis | harmless
-- table.concat over ranges that are not there; near the end of the numbers a loop may wrap round.
require "table"
function process_message()
    local t = {"a", "b"}
    for _, j in ipairs({2^31 - 1, 2^31, 2^32, 2^53, 2^63, 1e300, 1/0}) do
        assert(not pcall(table.concat, t, "", 1, j))
        pcall(table.concat, t, "", j - 1, j)
        pcall(table.concat, t, "", -j, -j + 1)
        pcall(table.concat, t, "", j, -j)
        pcall(table.concat, {}, "", -j, j)
    end
    pcall(table.concat, t, "", 0/0, 0/0)
    pcall(table.concat, {{}, print})
    return 0
end
