-- Input: reads one number per line from the pipe `numbers.in` and injects it as Fields[number] until the pipe is closed.
require "io"

function process_message()
    local msg = { Type = "number", Fields = { number = 0 } }
    for line in assert(io.open("numbers.in")):lines() do
        msg.Fields.number = tonumber(line)
        inject_message(msg)
    end
    return 0
end
