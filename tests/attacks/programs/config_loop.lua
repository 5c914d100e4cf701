-- attack: configuration files | config | contained: *
-- A plugin configuration that never ends.
filename = "x.lua"
while true do end
