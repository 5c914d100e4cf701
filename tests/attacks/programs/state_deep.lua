-- attack: preserved state | analysis | either
-- A global nested as deep as memory allows: the writer and the reader of state must not recurse over it.
deep = {}
local t = deep
for i = 1, 40000 do
    t.n = {}
    t = t.n
end
function process_message() return 0 end
