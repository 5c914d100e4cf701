-- attack: read_message | analysis | either
-- Names of headers and fields that are none.
require "string"
function process_message()
    for _, name in ipairs({"", "Fields", "Fields[", "Fields[]", "Fields]", "Fields[x", "Fields[x]y", "Fields[x]]", "Fields[[x]]", "Fields[x\0]", "Fields[\0]", "Type\0", "type", "Payload ", "raw\0", string.rep("x", 100000), "Fields[" .. string.rep("x", 1000000) .. "]", "\0", "%s", "framed", "raw", "size"}) do
        pcall(read_message, name)
        pcall(read_message, name, 0, 0, true)
        pcall(read_message, name, 1, 1)
    end
    for _, v in ipairs({1, true, {}, print, 0/0}) do pcall(read_message, v) end
    pcall(read_message) pcall(read_message, nil) pcall(read_message, "Payload", 0, 0, true, 1)
    return 0
end
