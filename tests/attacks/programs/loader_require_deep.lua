-- attack: loaders | analysis | either | modules
-- A module that requires modules without end through its metatable.
local ok = pcall(require, "hostile_result")
function process_message() return 0 end
