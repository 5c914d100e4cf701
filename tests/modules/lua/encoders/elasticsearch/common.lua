-- kind: output, called
-- encoders.elasticsearch.common: the configuration's defaults and errors, the line before a document.
require "string"
require "os"

-- What the configuration is said to hold.
local config
function read_config(key)
    return key == "encoders_elasticsearch_common" and config or nil
end

local common = require "encoders.elasticsearch.common"
local line = common.bulkapi_index_json

local function fails(text)
    local ok, err = pcall(common.load_encoder_cfg)
    assert(not ok and err:find(text, 1, true), err)
end

config = nil
fails("encoders_elasticsearch_common must be a table")
config = "text"
fails("encoders_elasticsearch_common must be a table")
config = { index = 5 }
fails("index must be nil or a string")
config = { type_name = true }
fails("type_name must be nil or a string")
config = { es_index_from_timestamp = "true" }
fails("es_index_from_timestamp must be nil or boolean")

config = {}
local cfg = common.load_encoder_cfg()
assert(cfg.index == "heka-%{%Y.%m.%d}" and cfg.type_name == "message" and cfg.es_index_from_timestamp == false)
assert(cfg.id == nil)
config = { index = "i", type_name = "t", id = "%{Uuid}", es_index_from_timestamp = true }
cfg = common.load_encoder_cfg()
assert(cfg.index == "i" and cfg.type_name == "t" and cfg.id == "%{Uuid}" and cfg.es_index_from_timestamp)

function process_message()
    assert(line() == '{"index":{}}')
    assert(line("i") == '{"index":{"_index":"i"}}')
    assert(line(nil, "t") == '{"index":{"_type":"t"}}')
    assert(line(nil, nil, "5") == '{"index":{"_id":"5"}}')
    assert(line("i", "t", "5") == '{"index":{"_index":"i","_type":"t","_id":"5"}}')
    assert(line("Log-%{Hostname}-%{USER}", "%{Type}", "%{user}/%{bytes}")
           == '{"index":{"_index":"log-host.example.com-%{user}","_type":"login","_id":"ann\\/512"}}'
           or line("Log-%{Hostname}-%{USER}", "%{Type}", "%{user}/%{bytes}")
           == '{"index":{"_index":"log-host.example.com-%{user}","_type":"login","_id":"ann/512"}}')
    -- Of a time: nanoseconds, here of the message itself.
    assert(line("i-%{!%Y.%m.%d}", nil, nil, read_message("Timestamp")) == '{"index":{"_index":"i-2023.11.14"}}')
    local before, got, after = os.date("!%Y%m%d"), line("%{!%Y%m%d}"), os.date("!%Y%m%d")
    assert(got:find(before, 1, true) or got:find(after, 1, true), "without a time, now")
    -- A quote in a value cannot end the text.
    assert(line('a"b', 'c"d') == '{"index":{"_index":"a\\"b","_type":"c\\"d"}}')
    assert(not pcall(line, {}))
    return 0
end

function timer_event() end
