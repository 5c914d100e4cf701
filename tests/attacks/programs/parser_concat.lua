-- attack: parser | analysis | contained: * | expand
-- Concatenation binds to the right, so each one nests.
local a = "x"
local x = a@@100000:..a@@
function process_message() return 0 end
