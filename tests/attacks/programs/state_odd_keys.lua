-- attack: preserved state | analysis | either
-- Keys that cannot be written: tables, functions, userdata.
function process_message()
    t = {}
    t[t] = 1
    t[print] = 2
    t[{}] = {}
    t[read_message("Payload", 0, 0, true)] = 3
    u = {read_message("Payload", 0, 0, true), print}
    return 0
end
