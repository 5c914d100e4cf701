-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Date and time: grammars for the ways in which logs write a moment

## Grammars that make a time table

A time table has the members `year month day hour min sec` (strings of digits), and, where the text has them,
`sec_frac` (a number below one), `offset_sign` ("+" or "-"), `offset_hour`, `offset_min` (numbers), `period`
("AM" or "PM") and `time_t` (a number of seconds).

| grammar | example |
|---|---|
| `rfc3339` | 1999-05-05T23:23:59.217-07:00 |
| `clf_timestamp` | 10/Feb/2014:08:46:36 -0800 |
| `rfc3164_timestamp` | Feb 10 16:46:36 |
| `mysql_timestamp` | 20140210164636 |
| `pgsql_timestamp` | 2014-02-10 16:46:36 |

RFC 3164 has no year. The year of today is taken; the year before, if that were more than 180 days ahead of now;
the year after, if the moment is then at most one day ahead (around New Year).

## Grammars that fill members of a time table

`date_fullyear`, `date_month`, `date_mabbr` (Jan), `date_mfull` (January), `date_mday` (09), `date_mday_sp` (" 9"),
`time_hour`, `time_minute`, `time_second` (a leap second is one), `time_secfrac` (.217), `timezone_offset` (-0700),
`timezone` (UTC, PST, PDT, MST, MDT, CST, CDT, EST, EDT; other names are an offset of 0), `rfc3339_full_date`,
`rfc3339_partial_time`, `rfc3339_time_numoffset`, `rfc3339_time_offset`, `rfc3339_full_time`.

## Grammars that make a number

`rfc3339_ns` (also takes `t`, `z` and `-0700`), `clf_timestamp_ns`, `rfc3164_timestamp_ns`, `mysql_timestamp_ns` and
`pgsql_timestamp_ns` capture the nanoseconds since 1970 at once. They remember the last texts, since most log lines
share their second with the line before, so they are much faster than a table and `time_to_ns`.

## Functions

`build_strftime_grammar(format)` makes a grammar from a format of C's strftime; its capture is a time table.
Specifiers: `a A b B c C d D e F g G h H I j k l m M n p r R s S t T u U V w W x X y Y z Z %`, and `%f` for the digits of
a fraction of a second. `%y` from 69 on is of the last century. White space in the format matches one white space.
Errors: `unknown strftime specifier: X`, `could not parse the strftime format`.

`build_strftime_ns_grammar(format)` makes one whose capture is the number of nanoseconds.

`time_to_ns(t)` is the number of nanoseconds since 1970 of a time table, in UTC without an offset; 0 if `t` is no
table. Members that are missing: noon is the hour, 0 the minute and second; without a date it is an error.

`seconds_to_ns(seconds)` multiplies a number, or the text of one.
--]]

local l      = require "lpeg"
local math   = require "math"
local os     = require "os"
local string = require "string"

local floor, time, date = math.floor, os.time, os.date
local P, R, S, C, Cc, Cg, Cs, Ct = l.P, l.R, l.S, l.C, l.Cc, l.Cg, l.Cs, l.Ct
local error, ipairs, pairs, setmetatable, tonumber, tostring, type =
      error, ipairs, pairs, setmetatable, tonumber, tostring, type

local M = {}
setfenv(1, M)

local DAY  = 86400
local YEAR = 365 * DAY
-- How far a moment without a year may lie ahead in this year, and in the next.
local AHEAD_MAX, AHEAD_NEXT_YEAR_MAX = 180 * DAY, DAY
-- Texts that a grammar remembers, and for how long it trusts the year it guessed, in seconds.
local REMEMBERED_MAX, TRUSTED = 64, 60

-- Seconds since 1970 of a date in UTC, by counting days in 400-year eras that begin in March. Days and months beyond
-- their end go on counting.
local function utc_seconds(year, month, day, hour, min, sec)
    local shifted = month - 3
    year = year + floor(shifted / 12)
    local era = floor(year / 400)
    local year_of_era = year - era * 400
    local day_of_year = floor((153 * (shifted % 12) + 2) / 5) + day - 1
    local day_of_era = year_of_era * 365 + floor(year_of_era / 4) - floor(year_of_era / 100) + day_of_year
    return (era * 146097 + day_of_era - 719468) * DAY + hour * 3600 + min * 60 + sec
end

local function needed(t, name)
    return tonumber(t[name]) or error("field '" .. name .. "' missing in date table", 3)
end

local function hour_of(t)
    local hour = tonumber(t.hour) or 12
    if t.period == "PM" and hour < 12 then return hour + 12 end
    if t.period == "AM" and hour == 12 then return 0 end
    return hour
end

function time_to_ns(t)
    if type(t) ~= "table" then return 0 end
    if t.time_t then return t.time_t * 1e9 end
    local offset = 0
    if t.offset_hour then
        offset = t.offset_hour * 3600 + (t.offset_min or 0) * 60
        if t.offset_sign == "+" then offset = -offset end
    end
    local day, month, year = needed(t, "day"), needed(t, "month"), needed(t, "year")
    local seconds = utc_seconds(year, month, day, hour_of(t), tonumber(t.min) or 0, tonumber(t.sec) or 0)
    return (seconds + (t.sec_frac or 0) + offset) * 1e9
end

function seconds_to_ns(seconds)
    return tonumber(seconds) * 1e9
end

-- A table that computes the values of its keys, and remembers some.
local function remembering(compute)
    local count, since = 0, 0
    return setmetatable({}, { __index = function(memory, key)
        local now = time()
        if count >= REMEMBERED_MAX or now - since > TRUSTED or now < since then
            for k in pairs(memory) do memory[k] = nil end
            count, since = 0, now
        end
        local value = compute(key)
        memory[key] = value
        count = count + 1
        return value
    end })
end

-- A piece of a date: a pattern without captures, and the same with the members it fills.
local function piece(plain, filling)
    return { plain = P(plain), filling = P(filling or plain) }
end

local function member(name, plain, value)
    return piece(plain, Cg(value or plain, name))
end

local function sequence(pieces)
    local plain, filling = P(true), P(true)
    for _, part in ipairs(pieces) do
        if type(part) == "string" then part = piece(part) end
        plain, filling = plain * part.plain, filling * part.filling
    end
    return { plain = plain, filling = filling }
end

local function one_of(names, value_of)
    local plain, filling = P(false), P(false)
    for i, name in ipairs(names) do
        plain = plain + name
        filling = filling + P(name) * Cc(value_of and value_of(i))
    end
    return plain, filling
end

local function table_grammar(part)
    return Ct(part.filling)
end

local function number_grammar(part)
    local grammar = table_grammar(part)
    return part.plain / remembering(function(text) return time_to_ns(grammar:match(text)) end)
end

local MONTHS = { "January", "February", "March", "April", "May", "June",
                 "July", "August", "September", "October", "November", "December" }
local DAYS = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" }

local function abbreviated(names)
    local short = {}
    for i, name in ipairs(names) do short[i] = string.sub(name, 1, 3) end
    return short
end

local digit, two = R"09", R"09" * R"09"
local to_60 = R"05" * digit

local year       = member("year", two * two)
local month      = member("month", P"0" * R"19" + P"1" * R"02")
local month_abbr = member("month", one_of(abbreviated(MONTHS), tostring))
local month_full = member("month", one_of(MONTHS, tostring))
local day        = member("day", P"0" * R"19" + R"12" * digit + P"3" * R"01")
local day_spaced = member("day", P" " * R"19" + R"12" * digit + P"3" * R"01")
local hour       = member("hour", R"01" * digit + P"2" * R"03")
local minute     = member("min", to_60)
local second     = member("sec", to_60 + "60")
local fraction   = member("sec_frac", P"." * digit^1, P"." * digit^1 / tonumber)

local function offset_of(separator)
    local hours, minutes = hour.plain / tonumber, to_60 / tonumber
    return piece(S"+-" * hour.plain * separator * to_60,
        Cg(S"+-", "offset_sign") * Cg(hours, "offset_hour") * separator * Cg(minutes, "offset_min"))
end

-- The abbreviations of North America, with the hours that they are behind UTC.
local BEHIND = { { "UTC", 0 }, { "PST", 8 }, { "PDT", 7 }, { "MST", 7 }, { "MDT", 6 },
                 { "CST", 6 }, { "CDT", 5 }, { "EST", 5 }, { "EDT", 4 } }

local function fixed_offset(sign, hours)
    return Cg(Cc(sign), "offset_sign") * Cg(Cc(hours), "offset_hour") * Cg(Cc(0), "offset_min")
end

local function zone_name()
    local filling = P(false)
    for _, zone in ipairs(BEHIND) do
        filling = filling + P(zone[1]) * fixed_offset(zone[2] == 0 and "+" or "-", zone[2])
    end
    local name = R("az", "AZ")^-5
    return piece(name, filling + name * fixed_offset("+", 0))
end

local offset       = offset_of("")
local offset_colon = offset_of(":")
local zone         = zone_name()
local clock        = sequence{ hour, ":", minute, ":", second }
local full_date    = sequence{ year, "-", month, "-", day }
local years        = member("year", two, Cs(Cc"20" * R"05" * digit + Cc"20" * "6" * R"08" + Cc"19" * two))
local us_date      = sequence{ month, "/", day, "/", years }
local period       = member("period", P"AM" + "PM")
local hour_12      = member("hour", P"0" * digit + P"1" * R"02")
local week         = piece(R"04" * digit + P"5" * R"03")
local day_abbr     = piece((one_of(abbreviated(DAYS))))

local SPECIFIERS = {
    a = day_abbr,
    A = piece((one_of(DAYS))),
    b = month_abbr,
    B = month_full,
    c = sequence{ day_abbr, " ", month_abbr, " ", day_spaced, " ", clock, " ", year },
    C = piece(two),
    d = day,
    D = us_date,
    e = day_spaced,
    f = member("sec_frac", digit^1, digit^1 / function(digits) return tonumber("0." .. digits) end),
    F = full_date,
    g = years,
    G = year,
    h = month_abbr,
    H = hour,
    I = hour_12,
    j = piece(P"36" * R"06" + P"3" * R"05" * digit + R"12" * two + P"0" * two - P"000"),
    k = member("hour", S" 1" * digit + P"2" * R"03"),
    l = member("hour", S" \t" * digit + P"1" * R"02"),
    m = month,
    M = minute,
    n = piece("\n"),
    p = period,
    r = sequence{ hour_12, ":", minute, ":", second, " ", period },
    R = sequence{ hour, ":", minute },
    s = member("time_t", digit^1, digit^1 / tonumber),
    S = member("sec", to_60 + P"6" * S"01"),
    t = piece("\t"),
    T = clock,
    u = piece(R"17"),
    U = week,
    V = week,
    w = piece(R"06"),
    W = week,
    x = us_date,
    X = clock,
    y = years,
    Y = year,
    z = offset,
    Z = zone,
    ["%"] = piece("%"),
}

local white = S" \t\r\n\v\f"

local function specifier(name)
    return SPECIFIERS[name] or error("unknown strftime specifier: " .. name, 0)
end

local format_grammar = (function()
    local variable = P"%" * (C(R("az", "AZ", "09") + "%") / specifier)
    local space = white * Cc(piece(white))
    local literal = C((1 - (white + variable))^1) / piece
    return Ct((space + variable + literal)^1) * -1
end)()

local function parse_format(format)
    local pieces = format_grammar:match(format)
    if not pieces then error("could not parse the strftime format", 3) end
    return sequence(pieces)
end

function build_strftime_grammar(format)
    return table_grammar(parse_format(format))
end

function build_strftime_ns_grammar(format)
    return number_grammar(parse_format(format))
end

-- The year of today, or one beside it: see the manual.
local function guess_year(t)
    local now = time()
    local this_year = tonumber(date("!%Y", now))
    local seconds = time_to_ns{ year = this_year, month = t.month, day = t.day,
                                hour = t.hour, min = t.min, sec = t.sec } / 1e9
    local guessed = this_year
    if seconds - now > AHEAD_MAX then
        guessed = this_year - 1
    elseif seconds + YEAR - now <= AHEAD_NEXT_YEAR_MAX then
        guessed = this_year + 1
    end
    t.year = tostring(guessed)
    return t
end

date_fullyear   = year.filling
date_month      = month.filling
date_mabbr      = month_abbr.filling
date_mfull      = month_full.filling
date_mday       = day.filling
date_mday_sp    = day_spaced.filling
time_hour       = hour.filling
time_minute     = minute.filling
time_second     = second.filling
time_secfrac    = fraction.filling
timezone        = zone.filling
timezone_offset = offset.filling

rfc3339_time_numoffset = offset_colon.filling
rfc3339_time_offset    = P"Z" + rfc3339_time_numoffset
rfc3339_partial_time   = clock.filling * time_secfrac^-1
rfc3339_full_date      = full_date.filling
rfc3339_full_time      = rfc3339_partial_time * rfc3339_time_offset
rfc3339                = Ct(rfc3339_full_date * "T" * rfc3339_full_time)

-- Only the second and the offset are remembered: the fraction hardly ever comes again.
rfc3339_ns = (function()
    local text = sequence{ full_date, piece(S"Tt"), clock }
    local grammar = table_grammar(text)
    local seconds = text.plain / remembering(function(s) return time_to_ns(grammar:match(s)) / 1e9 end)
    local fractional = C(P"." * digit^1) + Cc(0)
    local any_offset = offset_colon.plain + offset.plain
    local behind = S"Zz" * Cc(0) + any_offset / remembering(function(s)
        local sign, hours, minutes = string.match(s, "^(.)(%d%d):?(%d%d)$")
        local ahead = hours * 3600 + minutes * 60
        return sign == "+" and -ahead or ahead
    end)
    return (seconds * fractional * behind) / function(s, f, o) return (s + f + o) * 1e9 end
end)()

local clf = sequence{ day, "/", month_abbr, "/", year, ":", clock, " ", offset }
clf_timestamp    = table_grammar(clf)
clf_timestamp_ns = number_grammar(clf)

local rfc3164 = (function()
    local spaces = piece(P" "^1)
    local short_day = R"12" * digit^-1 + P"3" * S"01"^-1 + P"0" * R"19" + R"49"
    return sequence{ month_abbr, spaces, member("day", short_day), spaces, clock }
end)()
rfc3164_timestamp = table_grammar(rfc3164) / guess_year
rfc3164_timestamp_ns = rfc3164.plain / remembering(function(text)
    return time_to_ns(rfc3164_timestamp:match(text))
end)

local mysql = sequence{ year, month, day, hour, minute, second }
mysql_timestamp    = table_grammar(mysql)
mysql_timestamp_ns = number_grammar(mysql)

local pgsql = sequence{ full_date, " ", clock }
pgsql_timestamp    = table_grammar(pgsql)
pgsql_timestamp_ns = number_grammar(pgsql)

return M
