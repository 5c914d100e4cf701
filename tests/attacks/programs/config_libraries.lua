-- attack: configuration files | config | either
-- Whatever a configuration might reach.
filename = "x.lua"
if os then os.execute("touch pwned-by-config") end
if io then io.open("pwned-by-config", "w"):close() end
if require then local x = require "io" x.open("pwned-by-config", "w"):close() end
if load or loadstring or dofile or ffi or jit or debug or package then error("HOLE: a loader is there") end
if ("").rep then s = ("x"):rep(1e9) end
if setmetatable then setmetatable(_G, {__index = function() while true do end end}) end
