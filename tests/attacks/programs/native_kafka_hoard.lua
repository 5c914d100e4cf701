-- attack: memory | output | contained: not enough memory
-- Clients, topics and messages that no broker takes, without end.
require "kafka"
local string = require "string"
local kept = {}
local quiet = {log_level = 0, ["queue.buffering.max.kbytes"] = 2000000, ["queue.buffering.max.messages"] = 10000000}
function process_message(sequence)
    local producer = kafka.producer("127.0.0.1:1", quiet)
    producer:create_topic("t")
    local n, size = 0, 100000
    for _ = 1, 500 do
        if producer:send("t", -1, sequence, string.rep("x", size)) == 0 then n = n + 1 else break end
    end
    assert(n * size < 8 * 1024 * 1024, "HOLE: the queue takes more than the plugin may have")
    local ok, err = true, nil
    for i = 1, 100000 do
        ok, err = pcall(producer.create_topic, producer, "topic" .. i)
        if not ok then break end
    end
    assert(not ok, "HOLE: topics without end")
    for i = 1, 1000 do
        kept[i] = kafka.producer("127.0.0.1:1", quiet)
    end
    return 0
end
