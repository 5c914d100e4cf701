-- attack: preserved state | analysis | either
-- The same with arrays, whose paths in the file grow with the depth: quadratic text.
deep = {}
local t = deep
for i = 1, 20000 do
    t[1] = {}
    t = t[1]
end
function process_message() return 0 end
