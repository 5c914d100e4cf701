-- attack: codecs | output | either
-- encode_message of what inject_message would refuse.
require "string"
function process_message()
    local cyclic = {}
    cyclic.Fields = cyclic
    cyclic.value = cyclic
    for _, m in ipairs({cyclic, {Fields = {x = cyclic}}, {Payload = string.rep("x", 100000)}, {Uuid = string.rep("x", 100)}, {Fields = {x = {}}}, {Fields = {[1] = {}}}, {Timestamp = 0/0}, {Pid = 1e300}, setmetatable({}, {__index = error})}) do
        for _, framed in ipairs({true, false, 1, "x"}) do pcall(encode_message, m, framed) end
    end
    pcall(encode_message) pcall(encode_message, 1) pcall(encode_message, {}, true, 1)
    while true do local s = encode_message({Payload = "x"}, true) end
end
