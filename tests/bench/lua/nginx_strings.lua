-- Input: parses an nginx access log in the combined format with Lua's own string functions.
-- The file `parsed` says how many lines were injected and how many did not parse.
require "io"
require "string"

local match, tonumber, floor = string.match, tonumber, require "math".floor
local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12 }

-- Nanoseconds since 1970 of `22/Nov/2026:21:39:05 +0100`; the day number is that of the civil calendar.
local function nanoseconds(text)
    local day, month, year, hour, minute, second, sign, zone_hour, zone_minute =
        match(text, "^(%d%d)/(%a%a%a)/(%d%d%d%d):(%d%d):(%d%d):(%d%d) ([+-])(%d%d)(%d%d)$")
    if not day then return nil end
    local m = MONTHS[month]
    local y = m > 2 and year + 0 or year - 1
    local shifted = m > 2 and m - 3 or m + 9
    local days = 365 * y + floor(y / 4) - floor(y / 100) + floor(y / 400) + floor((153 * shifted + 2) / 5) + day - 719469
    local offset = zone_hour * 3600 + zone_minute * 60
    if sign == "-" then offset = -offset end
    return (days * 86400 + hour * 3600 + minute * 60 + second - offset) * 1e9
end

local status = { value = 0, value_type = 2 }
local size = { value = 0, value_type = 2, representation = "B" }
local fields = { status = status, body_bytes_sent = size }
local msg = { Type = "nginx.access", Fields = fields }

local function parse(line)
    local address, user, time, request, code, bytes, referer, agent =
        match(line, '^(%S+) %- (%S+) %[([^%]]+)%] "([^"]*)" (%d+) (%d+) "([^"]*)" "([^"]*)"$')
    if not address then return false end
    msg.Timestamp = nanoseconds(time)
    fields.remote_addr = address
    fields.remote_user = user ~= "-" and user or nil
    local method, uri, protocol = match(request, "^(%u+) (%S+) (HTTP/%d%.%d)$")
    fields.request_method, fields.request_uri, fields.server_protocol = method, uri, protocol
    fields.request = not method and request or nil
    status.value = tonumber(code)
    size.value = tonumber(bytes)
    fields.http_referer = referer ~= "-" and referer or nil
    fields.http_user_agent = agent
    return true
end

function process_message()
    assert(io.open("started", "w")):close()
    local injected, failed = 0, 0
    for line in assert(io.open(read_config("log"))):lines() do
        if parse(line) then
            inject_message(msg)
            injected = injected + 1
        else
            failed = failed + 1
        end
    end
    local fh = assert(io.open("parsed", "w"))
    fh:write(injected, " ", failed)
    fh:close()
    return 0
end
