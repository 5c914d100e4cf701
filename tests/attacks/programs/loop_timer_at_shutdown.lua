-- attack: loops | analysis | contained: instruction_limit exceeded
-- Waits for the timer event of the shutdown, so as to hold up the stop of the whole engine.
function process_message() return 0 end
function timer_event(ns, shutdown)
    while shutdown do end
end
