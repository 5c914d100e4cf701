-- attack: loops | analysis | contained: instruction_limit exceeded
-- The error handler loops; inside a handler hooks are commonly off.
function process_message()
    xpcall(function() error("x") end, function() while true do end end)
end
