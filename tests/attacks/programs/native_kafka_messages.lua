-- attack: network and files | output | either
-- Messages, topics, keys and headers of every wrong kind; methods on objects that are none; a callback that uses the producer.
require "kafka"
local string = require "string"
local cyclic = {}
cyclic.acks = cyclic
local hostile = setmetatable({}, {__index = error, __tostring = error, __len = function() return 1e18 end})
local odd = {1, -1, 0/0, 1/0, "", "x", "a\0b", string.rep("x", 100000), "\255\254", {}, {{}}, cyclic, hostile, true, print, "/dev/zero"}
local quiet = {log_level = 0, ["queue.buffering.max.messages"] = 10000000, ["message.max.bytes"] = 1000000000}
function process_message(sequence)
    local producer = kafka.producer("127.0.0.1:1", quiet)
    for _, v in ipairs(odd) do
        pcall(producer.create_topic, producer, v) pcall(producer.create_topic, producer, "t", v) pcall(producer.has_topic, producer, v)
        pcall(producer.destroy_topic, producer, v) pcall(producer.create_topic, v, "t") pcall(producer.poll, v) pcall(producer.send, v, "t", -1, sequence, "x")
    end
    pcall(producer.create_topic, producer, "t")
    function update_checkpoint() producer:poll() pcall(producer.flush, producer, 0) error(producer) end
    for _, v in ipairs(odd) do
        pcall(producer.send, producer, "t", v, sequence, "x") pcall(producer.send, producer, "t", -1, v, "x") pcall(producer.send, producer, "t", -1, sequence, v)
        pcall(producer.send, producer, "t", -1, sequence, "x", v) pcall(producer.send, producer, "t", -1, sequence, "x", "k", v)
        pcall(producer.send, producer, "t", -1, sequence, "x", "k", {[v == v and v or 1] = v}, v) pcall(producer.send, producer, v, -1, sequence, producer)
        pcall(producer.flush, producer, type(v) == "number" and v < 0 and v or 0)
        pcall(producer.poll, producer)
    end
    return 0
end
