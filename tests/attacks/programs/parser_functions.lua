-- attack: parser | analysis | contained: * | expand
-- Functions within functions.
local x = @@50000:function() return @@1@@50000: end@@
function process_message() return 0 end
