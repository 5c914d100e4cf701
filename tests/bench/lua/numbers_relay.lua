-- Analysis: passes each number on in a message of its own.
local msg = { Type = "relayed", Fields = { number = 0 } }

function process_message()
    msg.Fields.number = read_message("Fields[number]")
    inject_message(msg)
    return 0
end

function timer_event(ns, shutdown)
end
