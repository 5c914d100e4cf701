-- attack: codecs | input | contained: instruction_limit exceeded
-- A reader fed from a file without end or message.
require "io"
function process_message()
    local reader = create_stream_reader("r")
    local f = assert(io.open("/dev/zero", "rb"))
    while true do pcall(reader.find_message, reader, f) end
end
