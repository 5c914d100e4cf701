-- attack: reachability | input | harmless
-- The same with stream readers and files.
require "io"
local reader = create_stream_reader("r")
function process_message()
    for _, other in ipairs({io.stdout, 1, "x", {}, print}) do
        assert(not pcall(reader.find_message, other, "x"), "HOLE: find_message took another object")
        assert(not pcall(reader.read_message, other, "Payload"), "HOLE: read_message took another object")
        assert(not pcall(reader.decode_message, other, "x"), "HOLE: decode_message took another object")
        assert(not pcall(io.stdout.write, reader, "x"), "HOLE: write took a reader")
        assert(not pcall(inject_message, io.stdout), "HOLE: a file was injected")
    end
    local mt = getmetatable(reader)
    if type(mt) == "table" and mt.__gc then
        pcall(mt.__gc, reader) pcall(mt.__gc, reader)
        pcall(reader.find_message, reader, "x")
    end
    local fmt = getmetatable(io.stdout)
    if type(fmt) == "table" and fmt.__gc then pcall(fmt.__gc, reader) end
    return 0
end
function timer_event() end
