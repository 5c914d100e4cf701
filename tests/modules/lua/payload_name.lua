-- kind: output, called
-- payload_name: names of files out of messages, which never lead out of a folder.
require "string"

-- The message that programs are called with; a value here is served instead of its own.
local instead = {}
local original = read_message
function read_message(name, ...)
    if instead[name] ~= nil then return instead[name] end
    return original(name, ...)
end

local payload_name = require "payload_name"
local clean = payload_name.clean

assert(clean("input.example") == "input.example")
assert(clean("../../etc/passwd") == ".._.._etc_passwd")
assert(clean("a b\0c\\d\n-é") == "a_b_c_d____")
assert(clean("") == "")
assert(clean(5) == "5")
assert(select("#", clean("a/b")) == 1, "the text alone")
assert(not pcall(clean, nil))

local function parts()
    local logger, name, kind = payload_name.of_message()
    return logger .. "|" .. name .. "|" .. kind
end

function process_message()
    assert(parts() == "input.example||txt")
    instead["Fields[payload_name]"] = "Requests / s"
    instead["Fields[payload_type]"] = "../cbuf"
    instead.Logger = "analysis.a/b"
    assert(parts() == "analysis.a_b|Requests___s|___cbuf")
    instead["Fields[payload_name]"] = 5
    instead["Fields[payload_type]"] = true
    assert(parts() == "analysis.a_b|5|true")
    return 0
end

function timer_event() end
