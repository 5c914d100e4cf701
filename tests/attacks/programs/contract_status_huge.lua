-- attack: contract | output | either
-- A status outside of every integer.
function process_message() return -1e308 end
