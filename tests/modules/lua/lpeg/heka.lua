-- Transformations from fields to headers.
local string, table = require "string", require "table"

local function show(v)
    if type(v) ~= "table" then return type(v) == "string" and string.format("%q", v) or tostring(v) end
    local parts = {}
    for k, x in pairs(v) do parts[#parts + 1] = tostring(k) .. "=" .. show(x) end
    table.sort(parts)
    return "{" .. table.concat(parts, ",") .. "}"
end

local function same(found, expected, what)
    local f, e = show(found), show(expected)
    if f ~= e then error(string.format("%s:\n found    %s\n expected %s", tostring(what), f, e), 2) end
end

local configuration = {}
function read_config(key)
    return key == "lpeg_heka" and configuration or nil
end
local heka = require "lpeg.heka"

local HEADERS = { uuid = "Uuid", timestamp = "Timestamp", logger = "Logger", hostname = "Hostname", type = "Type",
                  envversion = "EnvVersion", payload = "Payload", severity = "Severity", pid = "Pid" }
for name, header in pairs(HEADERS) do
    local msg = { [header] = "old", Fields = { a = 5, b = 6 } }
    heka["set_" .. name](msg, "a")
    same(msg, { [header] = 5, Fields = { b = 6 } }, name)
    heka["set_" .. name](msg, "absent")
    same(msg, { Fields = { b = 6 } }, name)
end
local msg = { Payload = "x", Type = "t" }
heka.remove_payload(msg, "ignored")
same(msg, { Type = "t" })
assert(not pcall(heka.set_type, {}, "a"), "a message without fields")

local agent = "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0"
local function normalized(value)
    local message = { Fields = { ua = value } }
    heka.add_normalized_user_agent(message, "ua")
    return message.Fields
end
same(normalized(agent), { ua = agent, ua_browser = "Firefox", ua_version = 115, ua_os = "Linux" })
same(normalized({ value = agent }), { ua = { value = agent } })
same(normalized(nil), {})
configuration.user_agent_remove = true
configuration.user_agent_normalized_field_name = "agent"
same(normalized(agent), { agent_browser = "Firefox", agent_version = 115, agent_os = "Linux" })
same(normalized("curl/8"), { ua = "curl/8" }, "kept, since no browser was found")
