-- attack: inject | analysis | harmless | injects=1000
-- Field names that are empty, contain NUL, quotes, line ends, or are longer than a message.
require "string"
function process_message()
    for _, name in ipairs({"", "\0", "a\0b", "]", "a]b", "\n", "'", "\"", "\255", string.rep("n", 60000), string.rep("n", 100000), " ", "[0]", "%s%n"}) do
        pcall(inject_message, {Fields = {[name] = 1}})
        pcall(inject_message, {Fields = {{name = name, value = "v"}}})
        pcall(inject_message, {Type = name, Logger = name, Hostname = name, Payload = name, EnvVersion = name})
        pcall(inject_payload, name, name, name)
        pcall(read_message, "Fields[" .. name .. "]")
    end
    return 0
end
function timer_event() end
