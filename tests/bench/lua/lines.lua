-- Output: writes one line of four values per message to the file `lines`.
require "io"
local fh = assert(io.open("lines", "w"))

function process_message()
    fh:write(read_message("Timestamp"), "\t", read_message("Fields[host]"), "\t",
        read_message("Fields[path]"), "\t", read_message("Fields[status]"), "\n")
    return 0
end

function timer_event(ns, shutdown)
end
