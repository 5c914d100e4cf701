-- attack: configuration files | config | either
-- A table that contains itself, and the globals as a value.
filename = "x.lua"
t = {}
t.t = t
t[1] = {t, t}
g = _G
