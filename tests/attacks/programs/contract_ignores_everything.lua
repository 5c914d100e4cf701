-- attack: contract | analysis | contained: instruction_limit exceeded
-- Everything at once: pcall, xpcall, sort, gsub, __index and tostring around loops within loops.
require "string"
require "table"
local loop
local function shield(f)
    return function()
        while true do
            pcall(xpcall, f, f)
            pcall(table.sort, {1, 2, 3}, f)
            pcall(string.gsub, "abc", ".", f)
            pcall(tostring, setmetatable({}, {__tostring = f}))
            pcall(function() return setmetatable({}, {__index = f}).x end)
            pcall(inject_message, setmetatable({}, {__index = f}))
        end
    end
end
loop = function() while true do end end
for _ = 1, 10 do loop = shield(loop) end
function process_message() loop() end
