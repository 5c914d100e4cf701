-- attack: loops | analysis | contained: instruction_limit exceeded / attempt to
-- Every global look-up of the function becomes a loop.
function process_message()
    setfenv(1, setmetatable({}, {__index = function() while true do end end}))
    return anything
end
