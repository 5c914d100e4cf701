-- attack: loops | analysis | contained: instruction_limit exceeded / was not found
-- process_message is a table that is called, and loops.
process_message = setmetatable({}, {__call = function() while true do end end})
