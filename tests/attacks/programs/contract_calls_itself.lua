-- attack: contract | analysis | either
-- Calls its own entry points from within each other.
function process_message()
    depth = (depth or 0) + 1
    if depth < 200 then
        pcall(process_message)
        pcall(timer_event, 0, true)
    end
    return 0
end
function timer_event(ns, shutdown)
    depth = (depth or 0) + 1
    if depth < 200 then pcall(process_message) end
end
