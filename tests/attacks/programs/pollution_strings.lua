-- attack: pollution | analysis | either
-- Writes to the metatable and the functions of strings: another plugin must not see it.
require "string"
pcall(function() getmetatable("").__index = function() return function() return "pwned" end end end)
pcall(function() getmetatable("").__add = function() return "pwned" end end)
pcall(function() getmetatable("").__call = function() while true do end end end)
pcall(function() getmetatable("").__gc = function() while true do end end end)
pcall(setmetatable, getmetatable("") or {}, {__index = error})
for k in pairs(string) do pcall(function() string[k] = function() return "pwned" end end) end
function process_message() return 0 end
