-- attack: pollution | analysis | either
-- Gives library tables, functions, numbers and nil metatables where it can.
require "string"
require "math"
for _, v in ipairs({string, math, package, _G}) do
    pcall(function() getmetatable(v).__index = function() return 42 end end)
    pcall(setmetatable, v, {__index = function() return 42 end, __newindex = function() end, __metatable = "locked"})
end
for _, v in ipairs({1, true, print, "x"}) do pcall(setmetatable, v, {}) pcall(function() getmetatable(v).__index = _G end) end
math.huge = 1
math.pi = 3
function process_message() return 0 end
