-- attack: hostile state files | state | either
-- A state file that requires what the plugin did not.
local io = require "io"
io.open("pwned-by-state", "w"):close()
_G["pwned"] = 1
