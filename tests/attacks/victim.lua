-- The plugin to which a hostile state file is given: it only counts.
count = count or 0
function process_message()
    count = count + 1
    return 0
end
function timer_event() end
