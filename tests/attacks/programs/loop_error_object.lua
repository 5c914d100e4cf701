-- attack: loops | analysis | contained: *
-- The error object's __tostring loops: who turns it into text for the log must not hang.
function process_message()
    error(setmetatable({}, {__tostring = function() while true do end end}))
end
