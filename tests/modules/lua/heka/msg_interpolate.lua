-- kind: analysis, called
-- heka.msg_interpolate: places for headers, Fields and times, tried in this order.
require "string"
require "os"

-- The message that programs are called with; a value here is served instead of its own.
local instead = {}
local original = read_message
function read_message(name, ...)
    if instead[name] ~= nil then return instead[name] end
    return original(name, ...)
end

local template = require "heka.msg_interpolate"
local interpolate = template.interpolate

local SECONDS = 1700000000 -- 2023-11-14T22:13:20Z

local function forms()
    assert(template.get_uuid("0123456789abcdef") == "30313233-3435-3637-3839-616263646566")
    assert(template.get_uuid(("\0\1\15\16"):rep(4)) == "01F10-01-F10-01-F1001F10", "no leading zeros")
    assert(not pcall(template.get_uuid, "short"))
    assert(not pcall(template.get_uuid, nil))

    assert(template.get_timestamp(0) == "1970-01-01T00:00:00.000000000Z")
    assert(template.get_timestamp_ms(0) == "1970-01-01T00:00:00.000Z")
    assert(template.get_timestamp(SECONDS * 1e9 + 256) == "2023-11-14T22:13:20.000000256Z")
    assert(template.get_timestamp_ms(SECONDS * 1e9 + 999999744) == "2023-11-14T22:13:20.999Z", "cut, not rounded")
    assert(template.get_timestamp(1500) == "1970-01-01T00:00:00.000001500Z")
    assert(template.get_timestamp(-1) == "1969-12-31T23:59:59.999999999Z")
    assert(not pcall(template.get_timestamp, nil))
end

local function headers()
    assert(interpolate("%{Uuid}") == "30313233-3435-3637-3839-616263646566")
    assert(interpolate("%{Timestamp}") == "2023-11-14T22:13:20.000000000Z")
    assert(interpolate("%{Type}|%{Logger}|%{Severity}|%{Payload}|%{Pid}|%{Hostname}")
           == "login|input.example|6|ann logged in|42|host.example.com")
    assert(interpolate("%{EnvVersion}") == "%{EnvVersion}", "one that the message has not stays")
    for name, text_of in pairs(template.header_fields) do
        assert(text_of() == nil or interpolate("%{" .. name .. "}") == tostring(text_of()))
    end
    assert(template.header_fields.Severity() == 6)
    instead.Type = "%{Logger} %1"
    assert(interpolate("%{Type}") == "%{Logger} %1", "what was put in is not looked at again")
    instead.Type = nil
end

local function fields()
    assert(interpolate("%{user}/%{bytes}/%{tags}") == "ann/512/new")
    assert(interpolate("%{Fields[user]}") == "%{Fields[user]}", "names, not expressions")
    instead["Fields[flag]"] = false
    assert(interpolate("%{flag}") == "false")
    instead["Fields[%Y]"] = "a Field before a time"
    assert(interpolate("%{%Y}") == "a Field before a time")
    instead = {}
end

local function times()
    assert(interpolate("i-%{%Y.%m.%d}", SECONDS) == os.date("i-%Y.%m.%d", SECONDS))
    assert(interpolate("%{!%H:%M:%S}", SECONDS) == "22:13:20")
    assert(interpolate("%{!%Y}", 0) == "1970")
    local before, got, after = os.date("!%Y%m%d"), interpolate("%{!%Y%m%d}"), os.date("!%Y%m%d")
    assert(got == before or got == after, "without a time, now")
    assert(interpolate("%{*t}", SECONDS) == "%{*t}", "a table is no text")
end

local function rest()
    assert(interpolate("") == "")
    assert(interpolate("100 % of {user} %user") == "100 % of {user} %user")
    assert(interpolate("%{unknown} %{} %{user") == "%{unknown} %{} %{user")
    assert(interpolate("%%{user}") == "%ann")
    assert(interpolate("a\0%{user}\0") == "a\0ann\0")
    assert(select("#", interpolate("%{user}")) == 1, "the text alone")
    assert(not pcall(interpolate, nil))
    assert(not pcall(interpolate, {}))
end

function process_message()
    forms()
    headers()
    fields()
    times()
    rest()
    return 0
end

function timer_event() end
