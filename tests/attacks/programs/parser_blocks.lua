-- attack: parser | analysis | contained: * | expand
-- Blocks within blocks.
@@100000:do @@@@100000: end@@
function process_message() return 0 end
