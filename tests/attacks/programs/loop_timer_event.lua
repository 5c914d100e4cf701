-- attack: loops | analysis | contained: instruction_limit exceeded
-- Behaves until the timer comes, then never returns.
function process_message() return 0 end
function timer_event()
    local n = 0
    while true do n = n + 1 end
end
