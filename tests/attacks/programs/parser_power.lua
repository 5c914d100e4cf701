-- attack: parser | analysis | contained: * | expand
-- Powers bind to the right as well.
local a = 1
local x = a@@100000:^a@@
function process_message() return 0 end
