-- attack: loops | analysis | contained: instruction_limit exceeded
-- Catches the limit error and goes on.
function process_message()
    while true do
        pcall(function() while true do end end)
    end
end
