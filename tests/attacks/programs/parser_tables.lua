-- attack: parser | analysis | contained: * | expand
-- Table constructors a hundred thousand deep.
local x = @@100000:{@@@@100000:}@@
function process_message() return 0 end
