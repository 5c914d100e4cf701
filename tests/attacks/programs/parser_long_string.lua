-- attack: parser | analysis | contained: not enough memory | expand
-- A constant longer than the plugin's memory.
local s = "@@1000000:0123456789@@"
function process_message() return 0 end
