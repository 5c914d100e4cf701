-- Input: parses an nginx access log in the combined format with an LPeg grammar.
-- The file `parsed` says how many lines were injected and how many did not parse.
require "io"
require "string"
local floor = require "math".floor
local l = require "lpeg"

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12 }

-- Nanoseconds since 1970; the day number is that of the civil calendar.
local function nanoseconds(day, month, year, hour, minute, second, sign, zone_hour, zone_minute)
    local m = MONTHS[month]
    local y = m > 2 and year + 0 or year - 1
    local shifted = m > 2 and m - 3 or m + 9
    local days = 365 * y + floor(y / 4) - floor(y / 100) + floor(y / 400) + floor((153 * shifted + 2) / 5) + day - 719469
    local offset = zone_hour * 3600 + zone_minute * 60
    if sign == "-" then offset = -offset end
    return (days * 86400 + hour * 3600 + minute * 60 + second - offset) * 1e9
end

local function integer(text)
    return { value = text + 0, value_type = 2 }
end

local function bytes(text)
    return { value = text + 0, value_type = 2, representation = "B" }
end

local digit, upper = l.R "09", l.R "AZ"
local two = l.C(digit * digit)
local word = (1 - l.P " ") ^ 1
local quoted = (1 - l.P '"') ^ 0
local absent = l.P "-" * #l.S ' "'
local time = two * "/" * l.C(l.R("AZ", "az") ^ 3) * "/" * l.C(digit * digit * digit * digit) * ":" * two * ":" * two * ":" * two
    * " " * l.C(l.S "+-") * two * two / nanoseconds
local request = l.Cg(upper ^ 1, "request_method") * " " * l.Cg(word, "request_uri") * " "
    * l.Cg("HTTP/" * digit * "." * digit, "server_protocol") * #l.P '"' + l.Cg(quoted, "request")
local fields = l.Ct(l.Cg(word, "remote_addr") * " - " * (absent + l.Cg(word, "remote_user"))
    * " [" * l.Cg(time, "time") * '] "' * request * '" ' * l.Cg(digit ^ 1 / integer, "status")
    * " " * l.Cg(digit ^ 1 / bytes, "body_bytes_sent") * ' "' * (absent + l.Cg(quoted, "http_referer")) * '" "'
    * l.Cg(quoted, "http_user_agent") * '"' * -1)

local msg = { Type = "nginx.access" }

function process_message()
    assert(io.open("started", "w")):close()
    local injected, failed = 0, 0
    for line in assert(io.open(read_config("log"))):lines() do
        local parsed = fields:match(line)
        if parsed then
            msg.Timestamp = parsed.time
            parsed.time = nil
            msg.Fields = parsed
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
