-- attack: loops | analysis | contained: instruction_limit exceeded / was not found
-- process_message is gone and the globals answer through an __index that loops: the host's own look-up must be under the limit.
function process_message() return 0 end
process_message = nil
setmetatable(_G, {__index = function() while true do end end})
