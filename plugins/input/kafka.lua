-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Kafka input: messages of topics, alone or with other engines in a group

Receives the messages of one or more topics and hands each value to a decoder. The default decoder takes Heka messages as
the output `kafka.lua` writes them, so that a whole message goes from one engine to the next.

Engines (and other consumers) with the same `group.id` share the partitions of the topics. When one ends, or dies, the
others take over its partitions. An offset is committed, once a second, only when what was injected from it is safe in
the engine's queue: nothing is lost, and after a crash what was injected since the last commit comes again. While no
broker can be reached the plugin waits and says so in the log.

The configuration is that of Hindsight's plugin of this name.

## Sample configuration

```lua
filename   = "kafka.lua"
instruction_limit = 0                   -- the plugin runs for ever in one call
brokerlist = "localhost:9092"           -- several with commas between them
topics     = { "telemetry-raw" }        -- or { "topic:0", "topic:7" }: these partitions, without sharing them

consumer_conf = {                       -- librdkafka's properties of a client
    ["group.id"] = "loader",            -- always needed
    -- ["session.timeout.ms"]      = 45000, -- after which a dead member's partitions are given to the others
    -- ["auto.commit.interval.ms"] = 1000,
    -- ["enable.auto.commit"]      = false, -- only at the end of the plugin
}
-- topic_conf = {}                      -- librdkafka's properties of a topic

-- Where a partition begins of which the group has no offset: "latest" (the default), "earliest", or a time in UTC:
-- start = "2026-11-01T00:00:00Z"

-- A module, or an entry as in modules/lpeg/sub_decoder_util.lua.
-- decoder_module  = "decoders.heka.protobuf"
-- printf_messages = { "lpeg.openssh_portable" } -- for a decoder_module that uses them
-- default_headers = { Logger = "kafka" } -- headers and Fields of messages that have none; Type is the topic

-- Adds to every message the Fields kafka_topic, kafka_partition, kafka_offset, kafka_key if there is one, and
-- kafka_header_NAME for each header.
-- kafka_fields = false
```

A message that cannot be decoded is injected with Type `error.decode`, the reason as Payload and the value in the Field
`data`.

Heka messages are injected as they are; they are taken apart only with `default_headers` or `kafka_fields`.
--]]

require "kafka"
local sdu = require "lpeg.sub_decoder_util"

local decoder = read_config("decoder_module") or "decoders.heka.protobuf"
local decode  = sdu.load_sub_decoder(decoder, read_config("printf_messages"))

local brokerlist    = read_config("brokerlist") or error("brokerlist must be set")
local topics        = read_config("topics") or error("topics must be set")
local consumer_conf = read_config("consumer_conf")
local topic_conf    = read_config("topic_conf") or {}
local start         = read_config("start")
local kafka_fields  = read_config("kafka_fields")
local configured    = read_config("default_headers")
assert(configured == nil or type(configured) == "table", "invalid default_headers cfg")

-- The milliseconds of a start in time; "earliest" and "latest" are left to librdkafka.
local function start_of(value)
    if value == nil then return nil end
    if value == "earliest" or value == "latest" then
        topic_conf["auto.offset.reset"] = value
        return nil
    end
    local dt = require "lpeg.date_time"
    local time = type(value) == "string" and dt.rfc3339:match(value)
    if not time then error('start must be "earliest", "latest" or a time such as 2026-11-01T00:00:00Z') end
    return dt.time_to_ns(time) / 1e6
end

local start_ms = start_of(start)
local consumer = kafka.consumer(brokerlist, topics, consumer_conf, topic_conf, start_ms)

local is_running, pairs, pcall = is_running, pairs, pcall

local defaults = configured or {}
-- Nothing is to be added to a message that is whole.
local is_whole = decoder == "decoders.heka.protobuf" and not configured and not kafka_fields

local function with_fields(topic, partition, key, offset, headers)
    local all = {}
    for name, value in pairs(defaults) do all[name] = value end
    all.Type = topic
    local fields = {}
    for name, value in pairs(defaults.Fields or {}) do fields[name] = value end
    fields.kafka_topic     = topic
    fields.kafka_partition = { value = partition, value_type = 2 }
    fields.kafka_offset    = { value = offset, value_type = 2 }
    fields.kafka_key       = key and { value = key, value_type = 1 }
    for name, value in pairs(headers or {}) do fields["kafka_header_" .. name] = { value = value, value_type = 1 } end
    all.Fields = fields
    return all
end

local function headers_of(topic, ...)
    if is_whole then return nil end
    if kafka_fields then return with_fields(topic, ...), true end
    defaults.Type = topic
    return defaults
end

local err_msg = { Type = "error.decode", Payload = nil, Fields = { data = { value = nil, value_type = 1 } } }

function process_message()
    while is_running() do
        local data, topic, partition, key, offset, _, headers = consumer:receive()
        if data then
            local ok, err = pcall(decode, data, headers_of(topic, partition, key, offset, headers))
            if not ok or err then
                err_msg.Payload = err
                err_msg.Fields.data.value = data
                pcall(inject_message, err_msg)
            end
        end
    end
    -- The last message is done too.
    consumer:commit()
    return 0
end
