-- attack: parser | analysis | contained: * | expand
-- A hundred thousand open parentheses.
local x = @@100000:(@@1@@100000:)@@
function process_message() return 0 end
