-- attack: loops | analysis | contained: instruction_limit exceeded
-- The function is ended by the limit, and then the handler loops.
function process_message()
    xpcall(function() while true do end end, function() while true do end end)
end
