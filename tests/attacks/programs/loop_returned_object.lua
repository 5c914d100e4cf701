-- attack: loops | analysis | contained: must return a nil or string error message / instruction_limit exceeded
-- The status message is an object whose __tostring loops.
function process_message()
    return -1, setmetatable({}, {__tostring = function() while true do end end})
end
