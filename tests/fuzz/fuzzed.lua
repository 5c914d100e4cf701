-- The plugin to which mutated state files are given.
count = 0
function process_message()
    return 0
end
function timer_event() end
