-- Output: its destination is always down, so that the queue keeps every message; the file `held` appears with the first one.
require "io"

function process_message()
    assert(io.open("held", "w")):close()
    return -3
end

function timer_event(ns, shutdown)
end
