-- attack: inject | analysis | harmless | injects=100000, restricted=false
-- Values of every type at every place.
function process_message()
    local zc = read_message("Payload", 0, 0, true)
    local values = {true, false, "", "\0", "a\0b", "\255\254", print, {}, {{}}, {nil}, {1, "x"}, {"x", 1}, {true, 1}, {print}, {zc}, zc, {value = print}, {value = {}}, {value = zc}, {value = {1, {}}}, setmetatable({}, {__tostring = function() return "x" end}), {[1.5] = 1}, {[true] = 1}, {[{}] = 1}}
    for _, v in ipairs(values) do
        for _, key in ipairs({"Uuid", "Timestamp", "Type", "Logger", "Severity", "Payload", "EnvVersion", "Pid", "Hostname", "Fields"}) do pcall(inject_message, {[key] = v}) end
        pcall(inject_message, {Fields = {x = v}}) pcall(inject_message, {Fields = {[v] = 1}}) pcall(inject_message, {Fields = {{name = v, value = v}}}) pcall(inject_message, {Fields = {{name = "x", value = v, value_type = v, representation = v}}})
        pcall(inject_message, {Fields = {x = {value = v, value_type = v, representation = v}}}) pcall(inject_message, {Fields = {x = {value = 1, representation = v}}}) pcall(inject_message, v) pcall(inject_message, {[v] = v}) pcall(inject_message, {x = 1}, v) pcall(inject_payload, v) pcall(inject_payload, "x", v) pcall(inject_payload, "x", "y", v)
    end
    pcall(inject_message)
    return 0
end
function timer_event() end
