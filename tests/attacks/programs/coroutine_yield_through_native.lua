-- attack: coroutines | output | either
-- Yields out of callbacks of native functions, then resumes into frames that may be gone.
require "coroutine"
require "string"
require "table"
local natives = {
    function() return string.gsub("abc", ".", coroutine.yield) end,
    function() return string.gsub("abc", ".", function(c) return coroutine.yield(c) end) end,
    function() table.sort({3, 2, 1, 5, 4}, function(a, b) coroutine.yield(a) return a < b end) end,
    function() return tostring(setmetatable({}, {__tostring = function() coroutine.yield(1) return "x" end})) end,
    function() return pcall(function() coroutine.yield(1) error("x") end) end,
    function() return xpcall(error, function() coroutine.yield(1) end) end,
    function() return xpcall(coroutine.yield, coroutine.yield) end,
    function() return pcall(coroutine.yield) end,
    function() for c in string.gmatch("abc", ".") do coroutine.yield(c) end end,
    function() inject_message(setmetatable({}, {__index = function() coroutine.yield(1) end})) end,
    function() encode_message({Fields = setmetatable({}, {__index = function() coroutine.yield(1) end})}) end,
    function() require(setmetatable({}, {__tostring = coroutine.yield})) end,
    function() print(setmetatable({}, {__tostring = function() coroutine.yield() return "" end})) end,
}
function process_message()
    for _, native in ipairs(natives) do
        local co = coroutine.create(native)
        for _ = 1, 12 do coroutine.resume(co, "y", 2, 3) end
    end
    return 0
end
