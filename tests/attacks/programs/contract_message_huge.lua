-- attack: contract | analysis | either
-- A status message of a megabyte with each message.
require "string"
function process_message() return -1, string.rep("x\n\0", 300000) end
