-- attack: contract | analysis | contained: termination status
-- A status larger than all.
function process_message() return 1 / 0 end
