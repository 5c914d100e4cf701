-- Output: sends every message to the topic `topic`, and writes the seconds from the first call until all are confirmed into the
-- file `seconds`.
require "io"
require "kafka"
local clock = require "socket".gettime

local topic = read_config("topic")
local producer = kafka.producer(read_config("brokers"), { ["linger.ms"] = 5 })
producer:create_topic(topic, { acks = "all" })
local raw = read_message("raw", nil, nil, true)
local first

function process_message(sequence_id)
    first = first or clock()
    producer:poll()
    if producer:send(topic, -1, sequence_id, raw) ~= 0 then return -3 end
    return -5
end

function timer_event(ns, shutdown)
    if not shutdown then return producer:poll() end
    local tries = 0
    while not producer:flush(5000) do
        tries = tries + 1
        assert(tries < 20, "not all is confirmed")
    end
    local fh = assert(io.open("seconds", "w"))
    fh:write(clock() - first)
    fh:close()
end
