-- Hostile and odd lines for the decoders of syslog and nginx.
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

local configuration = { decoders_nginx_access = { log_format = '$remote_addr [$time_local] "$request" $status' } }
function read_config(key)
    return configuration[key]
end
local injected
function inject_message(msg)
    injected = msg
end
local syslog = require "decoders.syslog"
local access = require "decoders.nginx.access"
local errors = require "decoders.nginx.error"

local function decoded(decoder, data, headers)
    injected = nil
    local err = decoder.decode(data, headers)
    return err or injected
end

local STAMP = "<34>2026-03-11T22:14:15Z "
local N = 200000
same(#decoded(syslog, STAMP .. "h a: " .. string.rep("\0", N) .. "x").Payload, N + 1)
same(decoded(syslog, STAMP .. "h a: x" .. string.rep("\0\r\n", N)).Payload, "x")
same(decoded(syslog, STAMP .. string.rep("h", N)), "no hostname")
same(decoded(syslog, STAMP .. string.rep(":", N)), "no hostname")
same(#decoded(syslog, STAMP .. string.rep("a:", N) .. " text").Payload, 2 * N - 2 + 5)
same(decoded(syslog, STAMP .. "h a[" .. string.rep("]", N)).Fields.procid, "")
same(#decoded(syslog, STAMP .. "h a[" .. string.rep("[", N)).Payload, N + 2)
same(decoded(syslog, string.rep("<", N)), "no syslog timestamp")
same(decoded(syslog, string.rep("\0", N)), "no syslog timestamp")
local new = "<34>1 2026-03-11T22:14:15Z h a 5 m "
same(decoded(syslog, new .. "[" .. string.rep("x", N)), "invalid RFC 5424 structured data")
same(decoded(syslog, new .. string.rep("[x a=\"1\"]", N / 10) .. " t").Fields["sd.x.a"], "1")
same(#decoded(syslog, new .. "[x a=\"" .. string.rep("\\\"", N) .. "\"] t").Fields["sd.x.a"], N)
same(decoded(syslog, new .. "[x a=\"" .. string.rep("\\", N)), "invalid RFC 5424 structured data")
same(decoded(syslog, string.rep("<34>1 ", N)), "invalid RFC 5424 timestamp")

-- Nothing of a line is left in the next.
decoded(syslog, new .. "[x a=\"1\"] t")
local later = decoded(syslog, "2026-03-11T22:14:15Z h just text", { Type = "t", Fields = { f = 1 } })
same(later, { Type = "t", Hostname = "h", Timestamp = 1773267255e9, Payload = "just text", Fields = { f = 1 } })

-- Default headers are not changed.
local headers = { Hostname = "default", Fields = { programname = "none", kept = true } }
same(decoded(syslog, "<0>1 - - - - - -", headers),
    { Hostname = "default", Severity = 0, Payload = "",
      Fields = { programname = "none", kept = true, syslogfacility = { value = 0, value_type = 2 } } })
same(headers, { Hostname = "default", Fields = { programname = "none", kept = true } })

for _, decoder in ipairs{ access, errors } do
    for _, line in ipairs{ "", "\0", string.rep("1.", N), string.rep('"', N), string.rep(":", N) } do
        same(decoded(decoder, line), "parse failed")
    end
end
same(decoded(access, '::1 [11/Mar/2026:22:14:15 +0000] "' .. string.rep("\\", 998) .. '" 200', headers).Hostname, "default")
same(headers.Fields.request, nil)
for _, decoder in ipairs{ syslog, access, errors } do assert(not pcall(decoder.decode, nil)) end
