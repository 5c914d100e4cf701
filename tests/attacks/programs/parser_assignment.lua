-- attack: parser | analysis | contained: * | expand
-- One assignment to a hundred thousand variables: recursive in C.
a@@100000:,a@@ = 1
function process_message() return 0 end
