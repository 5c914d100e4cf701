-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Syslog: RFC 5424, RFC 3164 and what syslog daemons write into files

Decodes one syslog line, in whichever of these forms it comes:

    <34>1 2026-03-11T22:14:15.003Z host app 111 ID47 [exampleSDID@32473 iut="3"] text     RFC 5424
    <34>Oct 11 22:14:15 host app[111]: text                                               RFC 3164
    2026-03-11T22:14:15.003456+01:00 host app[111]: text                                  rsyslog's files
    Oct 11 22:14:15 host app[111]: text                                                   classic files

## Message

| header or field | from |
|---|---|
| Timestamp | the line's time; RFC 3164 has no year: the one that puts the time nearest to now is taken |
| Hostname, Pid | the line; Pid when it is a number |
| Severity | the priority (7 without one) |
| Payload | the text |
| Fields.programname | the app name or tag |
| Fields.syslogfacility | the priority's facility (an integer) |
| Fields.msgid, Fields.procid | RFC 5424; procid when it is no number |
| Fields["sd.ID.PARAM"] | RFC 5424 structured data |

## Configuration

```lua
decoder_module = "decoders.syslog"
-- Hours that a time without zone is behind UTC; whole hours may be negative.
decoders_syslog = { tz_offset_hours = 0 }
```

A line in none of the forms is an error; nothing is injected.
--]]

local string = require "string"
local math   = require "math"
local os     = require "os"

local find, match, sub, byte, gsub = string.find, string.match, string.sub, string.byte, string.gsub
local floor, abs = math.floor, math.abs
local time, date = os.time, os.date
local inject_message = inject_message
local read_config    = read_config
local pairs, tonumber, type = pairs, tonumber, type

local cfg = read_config("decoders_syslog") or {}
local tz_offset = (cfg.tz_offset_hours or 0) * 3600

local M = {}
setfenv(1, M)

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6,
                 Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12 }
local DAY = 86400

-- Seconds since 1970 of a date in UTC, by counting days in 400-year eras that begin in March.
-- Nil when there is no such date or time; a leap second is one.
local function seconds(year, month, day, hour, minute, second)
    if month < 1 or month > 12 or day < 1 or day > 31 or hour > 23 or minute > 59 or second > 60 then return nil end
    if month <= 2 then year = year - 1 end
    local era = floor(year / 400)
    local year_of_era = year - era * 400
    local day_of_year = floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
    local day_of_era = year_of_era * 365 + floor(year_of_era / 4) - floor(year_of_era / 100) + day_of_year
    return (era * 146097 + day_of_era - 719468) * DAY + hour * 3600 + minute * 60 + second
end

-- Nanoseconds of an RFC 3339 time, or nil.
local function rfc3339(text)
    local y, mo, d, h, mi, s, rest =
        match(text, "^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt](%d%d):(%d%d):(%d%d)(.*)$")
    if not y then return nil end
    local fraction, zone = match(rest, "^%.(%d+)(.*)$")
    if not fraction then fraction, zone = "0", rest end
    local offset = 0
    if zone ~= "Z" and zone ~= "z" then
        local sign, zh, zm = match(zone, "^([+-])(%d%d):?(%d%d)$")
        if not sign then return nil end
        offset = (zh * 60 + zm) * 60
        if sign == "-" then offset = -offset end
    end
    local whole = seconds(tonumber(y), tonumber(mo), tonumber(d), tonumber(h), tonumber(mi), tonumber(s))
    if not whole then return nil end
    return (whole - offset) * 1e9 + tonumber("0." .. fraction) * 1e9
end

-- Nanoseconds of "Oct 11 22:14:15": the year is the one that puts it nearest to now.
local function rfc3164(month, day, hour, minute, second)
    local mo = MONTHS[month]
    if not mo then return nil end
    local now = time()
    local year = tonumber(date("!%Y", now))
    local best
    for y = year - 1, year + 1 do
        local t = seconds(y, mo, tonumber(day), tonumber(hour), tonumber(minute), tonumber(second))
        if not t then return nil end
        t = t + tz_offset
        if not best or abs(t - now) < abs(best - now) then best = t end
    end
    return best * 1e9
end

local msg, fields = {}, {}

local function reset(default_headers)
    for k in pairs(msg) do msg[k] = nil end
    for k in pairs(fields) do fields[k] = nil end
    if default_headers then
        for k, v in pairs(default_headers) do
            if k ~= "Fields" then msg[k] = v end
        end
        if type(default_headers.Fields) == "table" then
            for k, v in pairs(default_headers.Fields) do fields[k] = v end
        end
    end
    msg.Fields = fields
end

local function set_priority(priority)
    local p = tonumber(priority)
    if not p or p > 191 then return false end
    msg.Severity = p % 8
    fields.syslogfacility = { value = floor(p / 8), value_type = 2 }
    return true
end

local function set_process(id)
    if match(id, "^%d+$") then
        msg.Pid = tonumber(id)
    else
        fields.procid = id
    end
end

-- Sets programname and Pid from "app[111]:", and the text behind it as Payload.
local function set_tag_and_text(text)
    local app, pid, at = match(text, "^([^%s%[:]+)%[([^%]]*)%]:?%s?()")
    if not app then
        app, at = match(text, "^([^%s%[:]+):%s?()")
    end
    if not app then
        msg.Payload = text
        return
    end
    fields.programname = app
    if pid then set_process(pid) end
    msg.Payload = sub(text, at)
end

-- "[id name="value" ...][...]" from position `at`; returns where the text begins, or nil.
local function structured_data(line, at)
    if byte(line, at) == 45 then return at + 1 end -- "-"
    if byte(line, at) ~= 91 then return nil end    -- "["
    while byte(line, at) == 91 do
        local id, next_at = match(line, "^%[([^%s%]=\"]+)()", at)
        if not id then return nil end
        at = next_at
        while true do
            local name, value_at = match(line, "^%s+([^%s%]=\"]+)=\"()", at)
            if not name then break end
            local stop = value_at
            while true do
                local quote = find(line, "[\"\\]", stop)
                if not quote then return nil end
                if byte(line, quote) == 34 then
                    stop = quote
                    break
                end
                stop = quote + 2 -- an escaped character
            end
            fields["sd." .. id .. "." .. name] = gsub(sub(line, value_at, stop - 1), "\\([\"\\%]])", "%1")
            at = stop + 1
        end
        if byte(line, at) ~= 93 then return nil end -- "]"
        at = at + 1
    end
    return at
end

local function nilvalue(text)
    if text ~= "-" then return text end
end

local function decode_5424(line, at)
    local stamp, host, app, procid, msgid, sd_at =
        match(line, "^(%S+) (%S+) (%S+) (%S+) (%S+) ()", at)
    if not stamp then return "not an RFC 5424 header" end
    if stamp ~= "-" then
        msg.Timestamp = rfc3339(stamp)
        if not msg.Timestamp then return "invalid RFC 5424 timestamp" end
    end
    msg.Hostname = nilvalue(host) or msg.Hostname
    fields.programname = nilvalue(app)
    fields.msgid = nilvalue(msgid)
    if procid ~= "-" then set_process(procid) end
    local text_at = structured_data(line, sd_at)
    if not text_at then return "invalid RFC 5424 structured data" end
    local behind = byte(line, text_at)
    if behind and behind ~= 32 then return "invalid RFC 5424 structured data" end
    text_at = text_at + 1
    local text = sub(line, text_at)
    if sub(text, 1, 3) == "\239\187\191" then text = sub(text, 4) end -- a UTF-8 mark is not part of the text
    msg.Payload = text
end

local function decode_old(line, at)
    local month, day, hour, minute, second, next_at =
        match(line, "^(%a%a%a)%s+(%d%d?) (%d%d):(%d%d):(%d%d)%.?%d* ()", at)
    if month then
        msg.Timestamp = rfc3164(month, day, hour, minute, second)
    else
        local stamp
        stamp, next_at = match(line, "^(%d%d%d%d%-%d%d%-%d%d[Tt]%S+) ()", at)
        if not stamp then return "no syslog timestamp" end
        msg.Timestamp = rfc3339(stamp)
    end
    if not msg.Timestamp then return "invalid syslog timestamp" end
    local host, text = match(line, "^(%S+) (.*)$", next_at)
    if not host then return "no hostname" end
    if sub(host, -1) == ":" then
        -- No host was given: what stands there is the tag.
        set_tag_and_text(sub(line, next_at))
    else
        msg.Hostname = host
        set_tag_and_text(text)
    end
end

function decode(data, default_headers, mutable)
    reset(default_headers)
    local line = match(data, "^(.*[^\r\n%z])") or ""
    local priority, at = match(line, "^<(%d%d?%d?)>()")
    if priority and not set_priority(priority) then return "invalid syslog priority" end
    local err
    local after_version = at and match(line, "^1 ()", at)
    if after_version then
        err = decode_5424(line, after_version)
    else
        err = decode_old(line, at or 1)
    end
    if err then return err end
    inject_message(msg)
end

return M
