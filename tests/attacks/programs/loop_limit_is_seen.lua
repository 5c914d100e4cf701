-- attack: loops | analysis | contained: instruction_limit exceeded
-- The limit error must not be an error that a plugin gets to see.
function process_message()
    local ok, e = pcall(function() while true do end end)
    error("HOLE: the limit error was caught: " .. tostring(e), 0)
end
