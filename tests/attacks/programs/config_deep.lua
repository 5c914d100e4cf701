-- attack: configuration files | config | either
-- Tables nested deeper than the reader's stack.
filename = "x.lua"
t = {}
local u = t
for _ = 1, 50000 do
    u.n = {}
    u = u.n
end
