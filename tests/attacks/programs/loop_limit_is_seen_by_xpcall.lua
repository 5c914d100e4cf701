-- attack: loops | analysis | contained: instruction_limit exceeded
-- The handler of xpcall must not see the limit error either.
local seen
function process_message()
    xpcall(function() while true do end end, function(e) seen = tostring(e) return e end)
    error("HOLE: the limit error was caught: " .. tostring(seen), 0)
end
