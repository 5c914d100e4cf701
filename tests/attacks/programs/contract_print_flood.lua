-- attack: contract | analysis | contained: instruction_limit exceeded | log_level=7
-- Fills the log.
require "string"
local s = string.rep("x", 10000)
function process_message() while true do print(s) end end
