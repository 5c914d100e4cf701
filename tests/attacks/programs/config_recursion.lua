-- attack: configuration files | config | contained: *
-- Recursion instead of a loop.
local function f() return f() end
filename = f()
