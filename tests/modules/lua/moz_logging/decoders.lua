-- The decoders of moz_logging: lines, what becomes an error, and what is left out. Facts of the public integration tests.
local string = require "string"
local configuration = { Logger = "input.test" }
local read_outer = read_config
function read_config(key)
    if configuration[key] ~= nil then return configuration[key] end
    return read_outer(key)
end
local messages, fails = {}, nil
function inject_message(msg)
    if fails and fails(msg) then error("inject_message() failed: no", 0) end
    local copy = {}
    for k, v in pairs(msg) do copy[k] = v end
    messages[#messages + 1] = copy
end

configuration.decoders_moz_logging_json_heka_fields = { keep_others = true }
local heka   = require "decoders.moz_logging.json_heka"
local fields = require "decoders.moz_logging.json_heka_fields"
local lines  = require "decoders.moz_logging.line_splitter"

local function decoded(decoder, data, headers)
    messages = {}
    assert(decoder.decode(data, headers) == nil)
    return messages
end

local agent = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:27.0) Gecko/20100101 Firefox/27.0"
local found = decoded(heka, '{"Logger":"a"}\n\n{"Logger":"b","Type":"t","Fields":{"agent":"' .. agent .. '"}}\n{{bad}\n'
    .. '{"foo":"bar","Timestamp":123456789,"nested":{"level1":"l1"},"deep":{"level1":{"level2":{"level3":{"level4":"value"}}}}}',
    { Type = "default" })
assert(#found == 3)
assert(found[1].Logger == "input.test|a" and found[1].Type == "default")
assert(found[2].Logger == "input.test|b" and found[2].Type == "default|t")
assert(found[2].Fields.user_agent_browser == "Firefox" and found[2].Fields.user_agent_version == 27)
assert(found[2].Fields.user_agent_os == "Linux" and found[2].Fields.agent == agent)
assert(found[3].Logger == nil and found[3].Fields["deep.level1.level2.level3"] == '{"level4":"value"}')
assert(found[3].Fields.foo == "bar" and found[3].Fields.Timestamp == 123456789 and found[3].Fields["nested.level1"] == "l1")

-- What cannot be injected becomes an error, and so does what makes the decoder fail; the lines behind are decoded.
fails = function(msg) return msg.Type ~= "error" and msg.Logger == "input.test|bad" end
found = decoded(heka, '{"Logger":"bad"}\n{"Logger":[1]}\n{"Logger":"good"}\n5\n[1,2]')
assert(#found == 4, #found)
assert(found[1].Type == "error" and found[1].Logger == "input.test" and found[1].Fields.data == '{"Logger":"bad"}')
assert(found[1].Payload == "inject_message() failed: no")
assert(found[2].Type == "error" and found[2].Fields.data == '{"Logger":[1]}')
assert(found[3].Logger == "input.test|good" and found[4].Fields)
fails = nil

found = decoded(fields, '{"a":{"value":[1,2],"value_type":2}}\n{"x":1}\nnot JSON\n7\n \n',
    { Type = "t", Pid = 5, Fields = { x = 2, y = 3 } })
assert(#found == 4)
assert(found[1].Type == "t" and found[1].Pid == 5 and found[1].Fields.a.value_type == 2 and found[1].Fields.y == 3)
assert(found[2].Fields.x == 1 and found[2].Fields.y == 3)
assert(found[3].Type == "error" and found[3].Fields.data == "not JSON" and string.find(found[3].Payload, "invalid token"))
assert(found[4].Type == "error" and found[4].Fields.data == "7")

found = decoded(lines, "line one\nline two\n\nline three", { Type = "default" })
assert(#found == 3 and found[2].Payload == "line two" and found[3].Type == "default")

-- An error of the decoder of lines.
package = nil
configuration.decoders_moz_logging_line_splitter = nil
fails = function(msg) return msg.Payload == "line two" end
found = decoded(lines, "line one\nline two\nline three")
assert(#found == 3 and found[2].Type == "error.decode" and found[2].Fields.data == "line two")
