-- attack: loops | analysis | contained: instruction_limit exceeded
-- The plain endless loop.
function process_message()
    while true do end
end
function timer_event() end
