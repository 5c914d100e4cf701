-- attack: inject | analysis | contained: output_limit | injects=100
-- Strings beyond the output limit at every place of a message.
require "string"
local s = string.rep("x", 1000000)
function process_message()
    for _, m in ipairs({{Payload = s}, {Type = s}, {Logger = s}, {Hostname = s}, {EnvVersion = s}, {Uuid = s}, {Fields = {[s] = 1}}, {Fields = {x = s}}, {Fields = {x = {s, s}}}, {Fields = {{name = s, value = 1}}}, {Fields = {x = {value = 1, representation = s}}}}) do
        pcall(inject_message, m)
    end
    inject_message({Payload = s})
    return 0
end
