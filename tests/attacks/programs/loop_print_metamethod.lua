-- attack: loops | analysis | contained: instruction_limit exceeded | log_level=7
-- print of an object whose __tostring loops.
function process_message()
    print(setmetatable({}, {__tostring = function() while true do end end}))
    return 0
end
