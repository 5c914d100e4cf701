-- attack: loaders | analysis | either
-- module() names a table of the host as its own, with package.seeall and hostile options.
require "string"
pcall(module, "_G")
pcall(function() module("string") end)
pcall(function() module("_G", package.seeall) upper = nil end)
pcall(function() module("a.b.c", function(m) setmetatable(m, {__index = function() while true do end end}) end) x = y end)
pcall(function() module("package.seeall.x") end)
pcall(function() module("\0") end)
pcall(function() module(nil) end)
pcall(function() module("_G.process_message") end)
pcall(package.seeall, 1)
pcall(package.seeall)
_G.process_message = function() return 0 end
