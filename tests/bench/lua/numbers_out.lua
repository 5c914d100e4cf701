-- Output: writes each number as a line to the pipe named in `pipe`, at once.
require "io"
local fh = assert(io.open(read_config("pipe"), "w"))

function process_message()
    fh:write(read_message("Fields[number]"), "\n")
    fh:flush()
    return 0
end

function timer_event(ns, shutdown)
end
