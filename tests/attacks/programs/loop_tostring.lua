-- attack: loops | analysis | contained: instruction_limit exceeded
-- A __tostring that loops, asked for by tostring.
function process_message()
    return tostring(setmetatable({}, {__tostring = function() while true do end end}))
end
