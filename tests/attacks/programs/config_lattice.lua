-- attack: configuration files | config | either
-- Sixty tables, shared so that copying them as a tree would make 2 to the 60.
filename = "x.lua"
t = {}
for _ = 1, 60 do t = {t, t} end
