-- attack: inject | analysis | harmless | injects=100
-- Messages that contain themselves.
function process_message()
    local m = {Payload = "x"}
    m.Fields = m
    pcall(inject_message, m)
    local f = {}
    f.f = f
    pcall(inject_message, {Fields = f})
    local v = {}
    v.value = v
    pcall(inject_message, {Fields = {x = v}})
    local a = {}
    a[1] = a
    pcall(inject_message, {Fields = {x = a}})
    pcall(inject_message, {Fields = {a}})
    local b = {name = "x"}
    b.value = {value = b}
    pcall(inject_message, {Fields = {b}})
    return 0
end
function timer_event() end
