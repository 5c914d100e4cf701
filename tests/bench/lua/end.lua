-- Analysis: says that the message which its matcher waits for has come.
function process_message()
    inject_payload("txt", "end", "1\n")
    return 0
end

function timer_event(ns, shutdown)
end
