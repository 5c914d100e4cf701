-- attack: parser | analysis | contained: * | expand
-- Unary operators one after another.
local x = @@200000:not - #@@ 1
function process_message() return 0 end
