-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Syslog: grammars from rsyslog's templates, and pieces for messages of programs

## Functions

`build_rsyslog_grammar(template)` takes a template of rsyslog.conf and makes a grammar whose capture is a table with a
member for each property, named in small letters:

```lua
template = "<%PRI%>%TIMESTAMP:::date-rfc3339% %HOSTNAME% %syslogtag:1:32%%msg:::sp-if-no-1st-sp%%msg%"
```

| property | value |
|---|---|
| `pri` | `{ facility = 1, severity = 6 }` |
| `syslogtag` | `{ programname = "sshd", pid = 42 }`; `procid` instead, if what stands in brackets is no number |
| `syslogfacility`, `syslogseverity`, `syslogpriority`, the same with `-text`, `pri-text` | a number; of `pri-text` the facility |
| `timestamp` (`timereported` is the same), `timegenerated` | nanoseconds; the options `date-rfc3164` (the default), `date-rfc3339`, `date-mysql`, `date-pgsql`, `date-unixtimestamp` say how they are written; of `date-subseconds` a number |
| `structured-data` | `{ id = "ex@32473", _name = "value" }`; more elements are its array; an empty table if there are none |
| `msg` | the text up to what follows in the template; at the end without its line end |
| `hostname`, `source`, `fromhost`, `fromhost-ip`, `programname`, `app-name`, `procid`, `msgid`, `protocol-version`, `iut`, `inputname`, `rawmsg`, `$now`, `$year`, `$month`, `$day`, `$hour`, `$hhour`, `$qhour`, `$minute`, `$bom` | the text |

`%x:::sp-if-no-1st-sp%` stands for spaces. Other options and the range of a property change nothing. A line end at the
end of a template may be missing. Errors: `invalid rsyslog property: 'x'`, `could not parse the rsyslog template`.

`capture_until(name, stop)` captures all up to a text or pattern; `capture_followed_by(name, stop)` reads that too.

## Grammars

`severity` and `facility` match the names, in small or capital letters, and capture their numbers; `integer` and `float`
(with a fraction) capture a number; `notspace` matches all up to a space, `commonmac` six bytes of a MAC address.
--]]

local l      = require "lpeg"
local math   = require "math"
local string = require "string"
local dt     = require "lpeg.date_time"
local ip     = require "lpeg.ip_address"

local find, gmatch, lower, sub, upper = string.find, string.gmatch, string.lower, string.sub, string.upper
local floor = math.floor
local P, R, S, C, Cc, Cf, Cg, Cs, Ct = l.P, l.R, l.S, l.C, l.Cc, l.Cf, l.Cg, l.Cs, l.Ct
local error, ipairs, rawset, tonumber = error, ipairs, rawset, tonumber

local M = {}
setfenv(1, M)

local digit, xdigit = R"09", R("09", "af", "AF")
local digits  = digit^1
local sp      = P" "
local white   = S" \t\r\n\v\f"
local printed = R"!~"

-- Names with their numbers; those that begin with a shorter name come first.
local FACILITIES = {
    { "kern", 0 }, { "user", 1 }, { "mail", 2 }, { "daemon", 3 }, { "authpriv", 10 }, { "auth", 4 }, { "security", 4 },
    { "syslog", 5 }, { "lpr", 6 }, { "news", 7 }, { "uucp", 8 }, { "cron", 9 }, { "ftp", 11 }, { "ntp", 12 },
    { "audit", 13 }, { "alert", 14 }, { "clock", 15 }, { "local0", 16 }, { "local1", 17 }, { "local2", 18 },
    { "local3", 19 }, { "local4", 20 }, { "local5", 21 }, { "local6", 22 }, { "local7", 23 },
}
local SEVERITIES = {
    { "debug", 7 }, { "info", 6 }, { "notice", 5 }, { "warning", 4 }, { "warn", 4 }, { "error", 3 }, { "err", 3 },
    { "crit", 2 }, { "alert", 1 }, { "emerg", 0 }, { "panic", 0 },
}

local function number_of(names)
    local choice = P(false)
    for _, entry in ipairs(names) do
        choice = choice + (P(entry[1]) + upper(entry[1])) * Cc(entry[2])
    end
    return choice
end

severity  = number_of(SEVERITIES)
facility  = number_of(FACILITIES)
integer   = P"-"^-1 * digits / tonumber
float     = P"-"^-1 * digits * ("." * digits)^1 / tonumber
notspace  = (1 - sp)^0

local octet = xdigit * xdigit
commonmac = octet * ":" * octet * ":" * octet * ":" * octet * ":" * octet * ":" * octet

function capture_until(name, stop)
    return Cg((1 - P(stop))^0, name)
end

function capture_followed_by(name, stop)
    return capture_until(name, stop) * stop
end

local priority = digit * digit^-2 / function(text)
    local number = tonumber(text)
    return { facility = floor(number / 8), severity = number % 8 }
end

local program = (printed - S":[ ")^0
local tag = Ct(Cg(program, "programname")
    * (P"[" * (Cg(digits / tonumber, "pid") * "]" + Cg((1 - S"] ")^0, "procid") * "]"))^-1
    * P":"^-1)

-- A parameter's value: without escapes it is taken as it is.
local plain  = (1 - S'"\\')^0
local value  = C(plain) * #P'"' + Cs((plain * (P"\\" / "" * S'"\\]' + "\\"))^0 * plain)
local sd_name   = (printed - S'=]" ')^1
local parameter = Cg(Cs(Cc"_" * sd_name) * '="' * value * '"')
local element   = P"[" * Cf(Ct"" * Cg(Cc"id" * C(sd_name)) * (sp * parameter)^0, rawset) * "]"

local function append(first, following)
    first[#first + 1] = following
    return first
end

local structured_data = P"-" * Ct"" + Cf(element * element^0, append)

local TIMES = {
    ["date-rfc3164"]          = dt.rfc3164_timestamp_ns,
    ["date-rfc3164-buggyday"] = dt.rfc3164_timestamp_ns,
    ["date-mysql"]            = dt.mysql_timestamp_ns,
    ["date-pgsql"]            = dt.pgsql_timestamp_ns,
    ["date-rfc3339"]          = dt.rfc3339_ns,
    ["date-unixtimestamp"]    = digits / dt.seconds_to_ns,
    ["date-subseconds"]       = digits / tonumber,
}

local function time_written_as(options)
    for option in gmatch(options, "[^,]+") do
        if TIMES[option] then return TIMES[option] end
    end
    return TIMES["date-rfc3164"]
end

local word = printed^0
local two  = digit * digit

local PROPERTIES = {
    rawmsg                  = P(1)^0,
    hostname                = word,
    source                  = word,
    fromhost                = word,
    ["fromhost-ip"]         = ip.v4 + ip.v6,
    syslogtag               = tag,
    programname             = program,
    pri                     = priority,
    ["pri-text"]            = facility * "." * R("az", "AZ")^1 * "<" * digits * ">",
    iut                     = digits,
    syslogfacility          = digit * digit^-2 / tonumber,
    ["syslogfacility-text"] = facility,
    syslogseverity          = digit / tonumber,
    ["syslogseverity-text"] = severity,
    syslogpriority          = digit / tonumber,
    ["syslogpriority-text"] = severity,
    ["protocol-version"]    = digits,
    ["structured-data"]     = structured_data,
    ["app-name"]            = word,
    procid                  = word,
    msgid                   = word,
    inputname               = word,
    ["$bom"]                = P"\239\187\191",
    ["$now"]                = two * two * "-" * two * "-" * two,
    ["$year"]               = two * two,
    ["$month"]              = two,
    ["$day"]                = two,
    ["$hour"]               = two,
    ["$hhour"]              = P"0" * S"01",
    ["$qhour"]              = P"0" * R"03",
    ["$minute"]             = two,
}

local TIME_PROPERTIES = { timestamp = "timestamp", timereported = "timestamp", timegenerated = "timegenerated" }

local function property(name, options)
    return { name = lower(name), options = lower(options) }
end

local function text(characters)
    return { text = characters }
end

local items = (function()
    local part    = C((1 - S":%")^0)
    local name    = C((R("az", "AZ", "09") + S"-$")^1)
    local range   = P":" * (1 - S":%")^0 * ":" * (1 - S":%")^0
    local options = P":" * C((1 - P"%")^0) + Cc""
    local hole    = P"%" * name * range^-1 * options * "%" / property
    local ESCAPES = { t = "\t", n = "\n", r = "\r", ['"'] = '"', ["'"] = "'", ["\\"] = "\\", ["%"] = "%",
                      a = "\a", b = "\b", f = "\f", v = "\v" }
    local code    = digit * digit^-2 / function(number) return string.char(number % 256) end
    local escaped = P"\\" / "" * (S"tnr\"'\\%abfv" / ESCAPES + code)
    local literal = Cs((escaped + 1 - (white + hole))^1) / text
    local space   = C(white) / function(character) return { text = character, is_space = true } end
    return Ct((hole + space + literal)^1) * -1
end)()

-- A message ends at the text that follows; at the end a line end does not belong to it.
local function message(following, is_last)
    local stop = following and following.text
    if not stop or stop == "\n" and is_last then return ((1 - P"\n")^1 + P"\n" * #P(1))^0 end
    local first = P(sub(stop, 1, 1))
    return ((1 - first)^1 + (first - P(stop)))^0
end

local function item_pattern(list, i)
    local item = list[i]
    if item.text == "\n" and i == #list then return P"\n" + -1 end
    if item.is_space then return white end
    if item.text then return P(item.text) end
    if find(item.options, "sp-if-no-1st-sp", 1, true) then return sp^1 end
    if item.name == "msg" then return Cg(message(list[i + 1], i + 1 >= #list), "msg") end
    local time_name = TIME_PROPERTIES[item.name]
    if time_name then return Cg(time_written_as(item.options), time_name) end
    local pattern = PROPERTIES[item.name]
    if not pattern then error("invalid rsyslog property: '" .. item.name .. "'", 3) end
    return Cg(pattern, item.name)
end

function build_rsyslog_grammar(template)
    local list = items:match(template)
    if not list then error("could not parse the rsyslog template", 2) end
    local pattern = P(true)
    for i = 1, #list do pattern = pattern * item_pattern(list, i) end
    return Ct(pattern)
end

return M
