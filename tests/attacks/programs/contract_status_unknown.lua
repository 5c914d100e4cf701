-- attack: contract | output | either
-- A status that means nothing.
function process_message() return -1000 end
