-- attack: inject | analysis | harmless | injects=100000, restricted=false
-- Numbers that are none, or not integers, wherever a message has a number.
function process_message()
    for _, n in ipairs({0/0, 1/0, -1/0, 2^31, -2^31, 2^53, -2^53, 2^63, -2^63, 2^64, 1e308, -1e308, 0.5, -0.5, -0}) do
        for _, m in ipairs({{Timestamp = n}, {Severity = n}, {Pid = n}, {Fields = {x = n}}, {Fields = {x = {n, n}}}, {Fields = {x = {value = n, value_type = 2}}}, {Fields = {x = {value = {n, n}, value_type = 2}}}, {Fields = {x = {value = n, value_type = 3}}},
            {Fields = {x = {value = 1, value_type = n}}}, {Fields = {x = {value = "x", value_type = n}}}, {Fields = {x = {value = true, value_type = n}}}, {Fields = {[n == n and n or 1] = 1}}, {Fields = {{name = n, value = n}}}, {Uuid = n}, {Type = n}, {Payload = n}}) do
            pcall(inject_message, m)
        end
    end
    return 0
end
function timer_event() end
