-- attack: parser | analysis | contained: local variables | expand
-- More local variables than registers.
@@300:local x = 1
@@
function process_message() return 0 end
