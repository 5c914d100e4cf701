-- attack: parser | analysis | either | expand
-- Two hundred thousand table items and as many constants in one function.
local t = {@@200000:0.5,"a",@@}
function process_message() return 0 end
