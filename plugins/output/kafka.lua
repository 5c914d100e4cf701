-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Kafka output: messages to topics

Sends each message to a topic. The default encoder writes whole Heka messages, which the input `kafka.lua` takes.

librdkafka sends in the background; a message is delivered when the brokers have confirmed it, and the plugin's place in
the queue never passes one that is not. After a crash those under way are sent again. While no broker can be reached
the engine keeps the messages in its queue. What the brokers refuse for good (too large, not authorized) is logged and
counted as a failure; with `dead_letter` it is kept as it was, and messages under way are held in memory for that.

The configuration is that of Hindsight's plugin of this name.

## Sample configuration

```lua
filename          = "kafka.lua"
message_matcher   = "Type == 'telemetry-raw'"
brokerlist        = "localhost:9092" -- several with commas between them
ticker_interval   = 1                -- so often confirmations are looked for when no message comes
async_buffer_size = 20000            -- must be set

-- The topic: always the same, or what stands in a header or Field of the message; without both the Logger, and
-- "unknown" for a message that has none.
topic_constant    = "telemetry-raw"
-- topic_variable = "Fields[topic]"

-- Messages with the same key come to the same partition, in their order; without a key they are spread.
-- key_variable   = "Fields[clientId]"

-- Headers of the Kafka message and where their values come from; one that the message does not have is left out.
-- headers        = { uuid = "Uuid", host = "Hostname" }
-- timestamp      = "message"        -- the time of the Kafka message is that of the message, not that of sending

producer_conf = {                    -- librdkafka's properties of a client
    ["queue.buffering.max.messages"] = 20000,
    ["linger.ms"]                    = 10,
    -- ["enable.idempotence"]        = true,   -- a message that is sent again is kept once, and the order holds
    -- ["compression.codec"]         = "zstd", -- or "gzip", "snappy", "lz4"
    -- ["message.timeout.ms"]        = 300000, -- give a message up after this time; without: never
}

topic_confs = {                      -- librdkafka's properties of a topic, by its name; "*" is for all others
    ["*"] = { acks = "all" },
}

-- dead_letter          = true       -- keep what fails for good: a message of Type foresight.dead_letter for each
-- encoder_module       = "encoders.heka.protobuf"
-- ignore_topic_err     = false      -- true: a message for an unknown topic fails, and does not end the plugin
-- ignore_partition_err = false
```
--]]

require "kafka"

local brokerlist     = read_config("brokerlist") or error("brokerlist must be set")
local topic_constant = read_config("topic_constant")
local topic_variable = read_config("topic_variable") or "Logger"
local key_variable   = read_config("key_variable")
local headers        = read_config("headers")
local producer_conf  = read_config("producer_conf")
local topic_confs    = read_config("topic_confs") or {}
local encoder_module = read_config("encoder_module") or "encoders.heka.protobuf"
local timestamp      = read_config("timestamp")

local ignore_topic_err     = read_config("ignore_topic_err")
local ignore_partition_err = read_config("ignore_partition_err")

local encode = require(encoder_module).encode
if not encode then error(encoder_module .. " does not provide an encode function") end

assert(timestamp == nil or timestamp == "message", 'timestamp must be "message"')
assert(headers == nil or type(headers) == "table", "headers must be a table")
assert(type(topic_confs) == "table", "topic_confs must be a table")
for topic, conf in pairs(topic_confs) do
    assert(type(conf) == "table", topic .. " topic_conf must be a table")
end

local producer = kafka.producer(brokerlist, producer_conf)
local read_message, pairs, pcall, tostring = read_message, pairs, pcall, tostring

local QUEUE_FULL, TOO_LARGE, UNKNOWN_TOPIC, UNKNOWN_PARTITION = 105, 90, 2, 3
-- Milliseconds that the end of the plugin waits for confirmations.
local LAST_FLUSH = 5000

local known = {}

local function topic_of_message()
    local topic = topic_constant or tostring(read_message(topic_variable) or "unknown")
    if not known[topic] then
        producer:create_topic(topic, topic_confs[topic] or topic_confs["*"])
        known[topic] = true
    end
    return topic
end

local function headers_of_message()
    if not headers then return nil end
    local found = {}
    for name, variable in pairs(headers) do
        local value = read_message(variable)
        if value ~= nil then found[name] = tostring(value) end
    end
    return found
end

-- What a message that was not taken means for it, or the end of the plugin.
local function refused(ret, topic)
    if ret == QUEUE_FULL then return -3, "queue full" end
    if ret == TOO_LARGE then return -1, "message too large" end
    local ignored = ignore_topic_err
    local text = "unknown topic: " .. topic
    if ret == UNKNOWN_PARTITION then
        ignored = ignore_partition_err
        text = "unknown partition for topic: " .. topic
    end
    if not ignored then error(text) end
    return -1, text
end

function process_message(sequence_id)
    local topic = topic_of_message()
    producer:poll()
    local ok, data = pcall(encode)
    if not ok then return -1, data end
    if not data then return -2 end
    local key = key_variable and read_message(key_variable)
    local time = timestamp and read_message("Timestamp") / 1e6
    local ret = producer:send(topic, -1, sequence_id, data, key and tostring(key), headers_of_message(), time)
    if ret ~= 0 then return refused(ret, topic) end
    return -5
end

function timer_event(ns, shutdown)
    if shutdown then
        producer:flush(LAST_FLUSH)
    else
        producer:poll()
    end
end
