-- attack: network and files | output | either
-- Brokers, topics, properties and messages of every wrong kind; methods on objects that are none; callbacks that use the producer.
require "kafka"
local string = require "string"
local cyclic = {}
cyclic["group.id"], cyclic.acks = cyclic, cyclic
local hostile = setmetatable({}, {__index = error, __tostring = error, __len = function() return 1e18 end})
local deep = {["group.id"] = "g", ["session.timeout.ms"] = 1e308, log_level = 0}
local odd = {1, -1, 0/0, 1/0, "", "x", "a\0b", string.rep("x", 100000), "\255\254", {}, {{}}, cyclic, hostile, deep, true, print, "/dev/zero"}
local quiet = {log_level = 0, ["queue.buffering.max.messages"] = 1e300, ["message.max.bytes"] = 1000000000}
function process_message(sequence)
    for _, name in ipairs({"plugin.library.paths", "sasl.kerberos.kinit.cmd", "test.mock.num.brokers", "ssl.engine.location"}) do
        assert(not pcall(kafka.producer, "h", {[name] = "evil.so"}), "HOLE: " .. name .. " was taken")
    end
    for _, v in ipairs(odd) do
        pcall(kafka.producer, v) pcall(kafka.producer, "h", v) pcall(kafka.consumer, v, v, v, v, v)
        pcall(kafka.consumer, "h", {v}, deep) pcall(kafka.consumer, "h", {v, v, [3.5] = v}, {["group.id"] = v})
        for _, name in ipairs({"opaque", "log_cb", "dr_cb", "debug", "enabled_events", "log.queue", "interceptors", "client.id", "group.id"}) do
            pcall(kafka.producer, "h", {[name] = v, log_level = 0})
        end
    end
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
