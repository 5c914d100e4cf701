-- attack: configuration files | config | contained: *
-- Recursion that uses the stack.
local function f() return 1 + f() end
ticker_interval = f()
