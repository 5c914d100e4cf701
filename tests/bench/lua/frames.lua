-- Input: reads framed messages from a file with a stream reader and injects each as it is.
-- The file `injected` says how many there were.
require "io"

function process_message()
    assert(io.open("started", "w")):close()
    local fh = assert(io.open(read_config("frames")))
    local reader = create_stream_reader("frames")
    local count = 0
    local found, consumed, read
    repeat
        repeat
            found, consumed, read = reader:find_message(fh)
            if found then
                inject_message(reader)
                count = count + 1
            end
        until not found
    until read == 0
    fh:close()
    fh = assert(io.open("injected", "w"))
    fh:write(count)
    fh:close()
    return 0
end
