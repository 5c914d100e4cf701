-- Input: receives `messages` Heka messages of the topic `topic`, injects them as they are, and writes the seconds from the first
-- to the last into the file `seconds`.
require "io"
require "kafka"
local clock = require "socket".gettime

local consumer = kafka.consumer(read_config("brokers"), { read_config("topic") },
    { ["group.id"] = read_config("group") }, { ["auto.offset.reset"] = "earliest" })
local total = read_config("messages")

function process_message()
    local n, first = 0, 0
    while n < total and is_running() do
        local data = consumer:receive()
        if data then
            if n == 0 then first = clock() end
            inject_message(data)
            n = n + 1
        end
    end
    local fh = assert(io.open("seconds", "w"))
    fh:write(clock() - first)
    fh:close()
    return 0
end
