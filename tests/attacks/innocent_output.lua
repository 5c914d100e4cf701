-- The neighbour of an attack that uses files and coroutines: opens, writes and reads one with each message.
require "io"
require "string"
require "coroutine"
local path = read_config("innocent_file")
count = 0

local function write_and_read(text)
    local f = assert(io.open(path, "wb"))
    assert(f:write(text))
    f:close()
    f = assert(io.open(path, "rb"))
    local back = f:read("*a")
    f:close()
    return back
end

function process_message()
    count = count + 1
    local text = string.format("%d %s", count, read_message("Type"))
    assert(write_and_read(text) == text, "the file has changed")
    assert(coroutine.wrap(function() coroutine.yield(1) end)() == 1, "coroutines have changed")
    return 0
end

function timer_event() end
