-- Input: reads framed submissions from a file and gives each to the loader's decoder.
require "io"
local transform_message = require "decoders.moz_ingest.common".transform_message

function process_message()
    assert(io.open("started", "w")):close()
    local fh = assert(io.open(read_config("frames")))
    local reader = create_stream_reader("frames")
    local found, consumed, read
    repeat
        repeat
            found, consumed, read = reader:find_message(fh)
            if found then assert(not transform_message(reader)) end
        until not found
    until read == 0
    fh:close()
    return 0
end
