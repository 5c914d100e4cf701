-- attack: contract | analysis | either
-- A status that is text.
function process_message() return "0" end
