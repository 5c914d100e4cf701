-- attack: memory | output | either
-- Tables with __gc that loop, raise, allocate and resurrect; run at collection and when the state is closed.
local kept = {}
local mts = {
    {__gc = function() while true do end end},
    {__gc = function() error("from __gc") end},
    {__gc = function(self) kept[#kept + 1] = self end},
    {__gc = function() local s = "x" while true do s = s .. s end end},
}
function process_message()
    for i = 1, 1000 do setmetatable({}, mts[i % 4 + 1]) end
    collectgarbage()
    assert(#kept == 0, "HOLE: __gc of a table ran")
    return 0
end
