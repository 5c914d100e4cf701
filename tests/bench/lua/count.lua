-- Analysis: counts its messages; with `report` set it says at the end how many they were.
local count = 0
local report = read_config("report")

function process_message()
    count = count + 1
    return 0
end

function timer_event(ns, shutdown)
    if shutdown and report then inject_payload("txt", "count", count, "\n") end
end
