-- Analysis: reads three fields of every message and keeps sums over them; says at the end how many messages it had.
local count, bytes, longest = 0, 0, 0

function process_message()
    local host = read_message("Fields[host]")
    local status = read_message("Fields[status]")
    local duration = read_message("Fields[duration]")
    count = count + 1
    bytes = bytes + #host + status
    if duration > longest then longest = duration end
    return 0
end

function timer_event(ns, shutdown)
    if shutdown then inject_payload("txt", "count", count, "\n") end
end
