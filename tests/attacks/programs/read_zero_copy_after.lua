-- attack: read_message | output | either
-- Zero-copy objects used when their message has gone, and when another one is there.
require "io"
require "string"
local kept = {}
function process_message()
    for i = 1, #kept do
        pcall(tostring, kept[i]) pcall(decode_message, kept[i]) pcall(string.len, kept[i]) pcall(encode_message, {Payload = kept[i], Fields = {x = kept[i]}})
        local f = io.open("/dev/null", "w") pcall(f.write, f, kept[i], kept[i]) f:close()
    end
    for _, name in ipairs({"raw", "framed", "Payload", "Type", "Fields[number]", "Fields[list]", "Fields[missing]", "Uuid", "Timestamp", "size"}) do
        for _, i in ipairs({0, 1, 1000}) do
            local ok, zc = pcall(read_message, name, i, i, true)
            if ok and zc ~= nil then kept[#kept + 1] = zc end
        end
    end
    return 0
end
function timer_event()
    for i = 1, #kept do
        pcall(tostring, kept[i]) pcall(decode_message, kept[i])
        local f = io.open("/dev/null", "w") pcall(f.write, f, kept[i]) f:close()
    end
end
