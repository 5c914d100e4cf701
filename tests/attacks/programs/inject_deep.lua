-- attack: inject | analysis | harmless | injects=100, memory=67108864
-- Values nested a hundred thousand deep.
function process_message()
    local v = 1
    for _ = 1, 50000 do v = {value = v} end
    pcall(inject_message, {Fields = {x = v}})
    local a = 1
    for _ = 1, 50000 do a = {a} end
    pcall(inject_message, {Fields = {x = a}})
    return 0
end
function timer_event() end
