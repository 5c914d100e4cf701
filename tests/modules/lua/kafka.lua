-- kind: output
-- What `kafka` refuses and with which words; nothing here needs a broker.
require "string"
local module = require "kafka"
assert(module == kafka and kafka.version() == "1.0.7")

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok, "no error: " .. text)
    assert(err == text, string.format("expected: %s\nfound:    %s", text, tostring(err)))
end
local function fails_with(start, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.sub(err, 1, #start) == start, tostring(err))
end

-- Producers.
fails("bad argument #0 to '?' (incorrect number of arguments)", kafka.producer)
fails("bad argument #3 to '?' (incorrect number of arguments)", kafka.producer, "a", {}, 1)
fails("bad argument #1 to '?' (string expected, got nil)", kafka.producer, nil)
fails("invalid broker list", kafka.producer, "")
fails("invalid broker list", kafka.producer, " , ,")
fails("bad argument #2 to '?' (table expected, got boolean)", kafka.producer, "brokerlist", true)
fails_with("Failed to set message.max.bytes = foo", kafka.producer, "local host", { ["message.max.bytes"] = "foo" })
fails('Failed to set message.max.bytes = 1 : Configuration property "message.max.bytes" value 1 is outside allowed range '
    .. '1000..1000000000\n', kafka.producer, "local host", { ["message.max.bytes"] = 1 })
fails_with("Failed to set message.max.bytes = true", kafka.producer, "local host", { ["message.max.bytes"] = true })
fails_with("Failed to set message.max.bytes = NaN", kafka.producer, "h", { ["message.max.bytes"] = 0 / 0 })
fails('Failed to set nothing.like.it = x : No such configuration property: "nothing.like.it"',
    kafka.producer, "h", { ["nothing.like.it"] = "x" })
fails("Failed to set plugin.library.paths = evil.so : not allowed in a plugin",
    kafka.producer, "h", { ["plugin.library.paths"] = "evil.so" })
fails("invalid config key type: function", kafka.producer, "brokerlist", { [assert] = true })
fails("invalid config value type: function", kafka.producer, "brokerlist", { foo = assert })
fails_with("rd_kafka_new failed: ", kafka.producer, "h", { ["enable.idempotence"] = true, acks = 1 })

local producer = kafka.producer("127.0.0.1:1", { ["queue.buffering.max.messages"] = 2, log_level = 0 })
assert(not producer:has_topic("t"))
producer:create_topic("t")
producer:create_topic("t", nil)
assert(producer:has_topic("t"))
producer:create_topic("other", { acks = 1, ["message.timeout.ms"] = 100 })
producer:destroy_topic("other")
producer:destroy_topic("never")
assert(not producer:has_topic("other"))
fails("bad argument #3 to '?' (table expected, got boolean)", producer.create_topic, producer, "topic", true)
fails("bad argument #1 to '?' (incorrect number of arguments)", producer.create_topic, producer)
fails("bad argument #1 to '?' (mozsvc.kafka_producer expected, got no value)", producer.create_topic)
fails('Failed to set linger.ms = 5 : No such configuration property: "linger.ms"',
    producer.create_topic, producer, "x", { ["linger.ms"] = 5 })
fails_with("rd_kafka_topic_new failed: ", producer.create_topic, producer, "")
fails_with("rd_kafka_topic_new failed: ", producer.create_topic, producer, string.rep("x", 513))
fails("bad argument #3 to '?' (incorrect number of arguments)", producer.has_topic, producer, "t", 1)
fails("bad argument #2 to '?' (incorrect number of arguments)", producer.poll, producer, 1)

fails("invalid topic", producer.send, producer, "foobar", -1, nil, "x")
fails("invalid topic", producer.send, producer, "\255", -1, nil, "x")
fails("bad argument #4 to '?' (lightuserdata expected, got number)", producer.send, producer, "t", -1, 1, "x")
fails("bad argument #3 to '?' (number expected, got string)", producer.send, producer, "t", "a", nil, "x")
fails("bad argument #5 to '?' (string or userdata expected, got number)", producer.send, producer, "t", -1, nil, 1)
fails("bad argument #5 to '?' (no zero copy support)", producer.send, producer, "t", -1, nil, producer)
fails("bad argument #4 to '?' (incorrect number of arguments)", producer.send, producer, "t", -1, nil)
fails("bad argument #7 to '?' (table expected, got string)", producer.send, producer, "t", -1, nil, "x", nil, "x")
fails("bad argument #7 to '?' (names and texts expected)", producer.send, producer, "t", -1, nil, "x", nil, { "x" })
fails("bad argument #7 to '?' (names and texts expected)", producer.send, producer, "t", -1, nil, "x", nil, { x = {} })
local many = {}
for i = 1, 257 do many["h" .. i] = "x" end
fails_with("bad argument #7 to '?' (too many headers", producer.send, producer, "t", -1, nil, "x", nil, many)

-- The queue takes two, however long the broker is away; what can never fit is said at once.
assert(producer:send("t", -1, nil, "one") == 0)
assert(producer:send("t", 0, nil, "two\0\255", "key", { a = "1", b = 2 }, 1e12) == 0)
assert(producer:send("t", -1, nil, "three") == 105)
assert(producer:send("t", -1, nil, string.rep("x", 2000000)) == 90)
assert(producer:flush(0) == false and producer:flush(20) == false and producer:flush(-1) == false)
producer:poll()

-- No other kind of topic than these may be made without end.
local made, err = 0
repeat
    local ok
    ok, err = pcall(producer.create_topic, producer, "c" .. made, { ["message.timeout.ms"] = 1000 + made })
    if ok then made = made + 1 end
until not ok
assert(made >= 2 and made <= 16, made)

-- Consumers.
local group = { ["group.id"] = "foo" }
fails("bad argument #0 to '?' (incorrect number of arguments)", kafka.consumer)
fails("bad argument #1 to '?' (string expected, got boolean)", kafka.consumer, true, nil, nil)
fails("bad argument #2 to '?' (table expected, got boolean)", kafka.consumer, "test", true, nil)
fails("bad argument #2 to '?' (the topics array is empty)", kafka.consumer, "test", {}, nil)
fails("bad argument #3 to '?' (table expected, got nil)", kafka.consumer, "test", { "test" }, nil)
fails("bad argument #4 to '?' (table expected, got boolean)", kafka.consumer, "test", { "test" }, group, true)
fails("group.id must be set", kafka.consumer, "test", { "test" }, {})
fails("invalid broker list", kafka.consumer, "", { "test" }, group)
for _, value in ipairs { "foobar", 0, true } do
    fails_with(string.format("Failed to set auto.offset.reset = %s : Invalid value", tostring(value)), kafka.consumer, "test", { "test" }, group, { ["auto.offset.reset"] = value })
end
fails("invalid config value type: function", kafka.consumer, "test", { "test" }, group, { ["auto.offset.reset"] = assert })
fails("invalid config key type: function", kafka.consumer, "test", { "test" }, group, { [assert] = true })
fails("invalid topic partition > INT32_MAX", kafka.consumer, "test", { "test:9000000000" }, group)
fails("invalid topic partition > INT32_MAX", kafka.consumer, "test", { "test:99999999999999999999" }, group)
fails("invalid topic partition < 0", kafka.consumer, "test", { "test:-1" }, group)
fails("topics must be an array of strings", kafka.consumer, "test", { true }, group)
fails("topics must be an array of strings", kafka.consumer, "test", { "one", item = "test" }, group)
fails_with("Failed to set message.max.bytes = true", kafka.consumer, "test", { "test" },
    { ["group.id"] = "foo", ["message.max.bytes"] = true })
