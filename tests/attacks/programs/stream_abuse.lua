-- attack: codecs | input | either
-- The reader's methods in the wrong order, with the wrong types, and with buffers too large.
require "string"
require "io"
function process_message()
    local reader = create_stream_reader(string.rep("n", 254))
    pcall(create_stream_reader, string.rep("n", 256)) pcall(create_stream_reader) pcall(create_stream_reader, {}) pcall(create_stream_reader, "a", "b") pcall(create_stream_reader, "a\0b\n")
    for _, v in ipairs({true, 1, {}, print, reader, "x", string.rep("x", 70000), string.rep("x", 1000000)}) do
        pcall(reader.find_message, reader, v) pcall(reader.find_message, reader, v, v) pcall(reader.decode_message, reader, v) pcall(reader.read_message, reader, v) pcall(inject_message, reader)
    end
    for _, i in ipairs({-1, 0/0, 1/0, 2^53}) do pcall(reader.read_message, reader, "Payload", i, i) end
    local f = io.open("/dev/null") pcall(reader.find_message, reader, f) f:close() pcall(reader.find_message, reader, f)
    local z = io.open("/dev/zero") for _ = 1, 100 do pcall(reader.find_message, reader, z) end z:close()
    local good = "\10\16" .. string.rep("u", 16) .. "\16\1"
    reader:decode_message(good)
    pcall(reader.decode_message, reader, "garbage")
    pcall(reader.read_message, reader, "raw") pcall(inject_message, reader)
    pcall(reader.find_message, reader, nil) pcall(reader.find_message, reader) pcall(reader.find_message)
    return 0
end
