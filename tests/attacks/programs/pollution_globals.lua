-- attack: pollution | analysis | either
-- Replaces every global and every library function, of which the host may use some itself.
require "string"
require "table"
require "math"
require "os"
local next, pcall, rawset, type = next, pcall, rawset, type
local names = {}
for k in next, _G do names[#names + 1] = k end
for _, lib in next, {string, table, math, os, package} do
    for k in next, lib do pcall(rawset, lib, k, function() while true do end end) end
end
for i = 1, #names do
    if names[i] ~= "_G" then pcall(rawset, _G, names[i], function() return 0 end) end
end
function process_message() return 0 end
function timer_event() end
