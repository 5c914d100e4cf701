-- attack: contract | output | either
-- A status that is no number in the end.
function process_message() return 0 / 0 end
