-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Dates and times

Two interfaces in one module: the functions on nanoseconds that Hindsight's plugins use (those of trink/lua_date), and the
date objects of LuaDate 2. The module is returned, and is the global `date` where the plugin has none of that name.

## Functions on nanoseconds since 1970

A zone is a name such as "America/Los_Angeles"; the default is "UTC". A moment is a number of nanoseconds.

- `date.format(moment, format[, zone])`: the text that `format` describes, with the conversions of `strftime`; `%S` and `%T` have
  nine digits of fraction, `%z` is the offset and `%Z` the abbreviation of the zone.
- `date.floor(moment[, unit, zone])`: the start of the "day" (default), "hour", "minute" or "second".
- `date.get(moment, component[, zone])`: "year", "month", "day", "hour", "min", "sec", "sec_frac" or "wday" (1 is Sunday); with a
  table instead of a name, all are set in the table, which is returned.
- `date.time(text, format[, zone])`: the moment that `text` means; an error when it does not fit `format`. Known are the
  conversions a A b B d D e F h H I j m M n p R S t T y Y z Z %; names are English.
- `date.time(table[, zone])`: the moment with the fields year, month, day, hour, min, sec and sec_frac, which may lie outside
  of their ranges. `date.time()`: now.

Where the clocks of a zone are set back, a time that occurs twice means the first; a time that is left out means as much later.

## Date objects

- `date(year, month, day[, hour, min, sec, ticks])`, `date(seconds since 1970)`, `date{year =, month =, day =, hour =, min =, sec =, ticks =}`,
  `date(text)`, `date(true)` and `date()` (now), `date(object)` (a copy). A text is in ISO 8601 ("2006-07-27T03:56:28+02:00",
  "20060727", "2006-208", "2006-W30-4", also without separators) or holds parts in any order ("Thu, 27 Jul 2006 3:56 PM EST", "12/25/98",
  "Dec 25 0001 BC"); what is in parentheses is left out. An error is raised for anything else.
- `date.diff(a, b)` and `a - b` give a span, `a + b` adds one; objects compare with `==`, `<`, `<=`, and `..` and `tostring` give text.
- `date.epoch()`, `date.isodate(year, week, day)`, `date.isleapyear(year or date)`, `date.time(hour, min, sec, ticks)` (a span; the first
  argument must be given), `date.fmt([format])` (the default format), `date.ticks([n])` (ticks in a second, 1000000),
  `date.daynummin([n])`, `date.daynummax([n])`, `date.setcenturyflip(n)`, `date.getcenturyflip()`, `date.version`.
- Read: `getdate gettime getyear getmonth getday gethours getminutes getseconds getfracsec getticks getclockhour getweekday getyearday
  getweeknumber getisodate getisoyear getisoweeknumber getisoweekday getbias gettzname`.
- Change, and return the object: `setyear setmonth setday sethours setminutes setseconds setticks setisoyear setisoweeknumber
  setisoweekday addyears addmonths adddays addhours addminutes addseconds addticks toutc tolocal`, and `copy`.
- `spandays spanhours spanminutes spanseconds spanticks`: how long a span is.
- `object:fmt([format])`: text, with the conversions of `strftime` and `%\b` (year, with BCE), `%\f` (seconds with fraction), and
  `${iso} ${http} ${ctime} ${rfc850} ${rfc1123} ${asctime}`.

Local time is UTC in a plugin, so `tolocal` and `toutc` change nothing.

## Examples

    local date = require "date"
    assert(date.format(1500249600123456000, "%Y-%m-%d %H:%M:%S %Z", "America/Los_Angeles") == "2017-07-16 17:00:00.123456000 PDT")
    assert(date("2006-07-27T03:56:28+02:00"):adddays(1):fmt("${iso}") == "2006-07-28T01:56:28")
    assert(date.diff("Jan 7 1563", date(1563, 1, 2)):spandays() == 5)
--]]

local string   = require "string"
local math     = require "math"
local os       = require "os"
local timezone = require "timezone"

local error, getmetatable, ipairs, select = error, getmetatable, ipairs, select
local setmetatable, tonumber, tostring, type     = setmetatable, tonumber, tostring, type
local floor, ceil                                = math.floor, math.ceil
local find, format, gsub, lower, match, rep, sub =
    string.find, string.format, string.gsub, string.lower, string.match, string.rep, string.sub

local M = {}
setmetatable(M, M)

-- Version 2.2.1 of LuaDate, as it counts.
M.version = 20020001

local SECONDS_PER_DAY    = 86400
local NANOSECONDS        = 1e9
-- 1970-01-01, counted in days from 0001-01-01.
local EPOCH_DAY          = 719162
-- The longest text that is read as a date; honest ones have some dozen bytes.
local MAX_TEXT           = 1000

local ticks_per_second   = 1000000
local century_flip       = 0
local default_format     = "%x %X"
local first_day, last_day = -365242500, 365242500

local WEEKDAYS = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
local MONTHS   = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December"}

-- Minutes that the zones of the United States are behind UTC.
local ZONES = {utc = 0, gmt = 0, z = 0, est = 300, edt = 240, cst = 360, cdt = 300, mst = 420, mdt = 360, pst = 480, pdt = 420}


-- Calendar ---------------------------------------------------------------------------------------------------------

local function is_leap_year(year)
    return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end


-- Days from 0001-01-01 to a date whose month and day may lie outside of their ranges. The year is taken to begin in
-- March, so that the leap day is its last.
local function day_of(year, month, day)
    local months = year * 12 + month - 3
    local from_march, y = months % 12, floor(months / 12)
    return y * 365 + floor(y / 4) - floor(y / 100) + floor(y / 400) + floor((153 * from_march + 2) / 5) + day - 307
end


-- Year, month and day, by cycles of 400 years.
local function civil_of(day)
    local from_march = day + 306
    local cycle = floor(from_march / 146097)
    local rest = from_march - cycle * 146097
    local years = floor((rest - floor(rest / 1460) + floor(rest / 36524) - floor(rest / 146096)) / 365)
    local in_year = rest - (365 * years + floor(years / 4) - floor(years / 100))
    local month = floor((5 * in_year + 2) / 153)
    local in_month = in_year - floor((153 * month + 2) / 5) + 1
    local year = years + cycle * 400
    if month < 10 then return year, month + 3, in_month end
    return year + 1, month - 9, in_month
end


-- 0 is Sunday.
local function weekday_of(day)
    return (day + 1) % 7
end


-- The Monday of the first week of an ISO year: the week that has the fourth of January.
local function iso_start(year)
    local fourth = day_of(year, 1, 4)
    return fourth - (weekday_of(fourth) + 6) % 7
end


-- ISO year and week.
local function iso_week_of(day)
    local year = civil_of(day)
    if day >= iso_start(year + 1) then
        year = year + 1
    elseif day < iso_start(year) then
        year = year - 1
    end
    return year, floor((day - iso_start(year)) / 7) + 1
end


local function truncate(value)
    local number = tonumber(value)
    return number and (number < 0 and ceil(number) or floor(number))
end


-- The index of the name that `text` begins or is, if it has at least `min` letters.
local function name_index(names, text, min)
    if #text < min then return nil end
    text = lower(text)
    for i, name in ipairs(names) do
        if lower(sub(name, 1, #text)) == text then return i end
    end
end


-- A month as a number or a name.
local function month_of(value)
    return truncate(value) or (type(value) == "string" and name_index(MONTHS, value, 2)) or nil
end


-- Date objects -----------------------------------------------------------------------------------------------------

local Date = {}
Date.__index = Date
Date.__metatable = Date


local function new(day, ticks)
    return setmetatable({daynum = day, dayfrc = ticks}, Date)
end


local function invalid()
    error("invalid argument(s)", 0)
end


local function is_date(value)
    return type(value) == "table" and getmetatable(value) == Date
end


-- Carries over what is more than a day.
function Date:normalize()
    local day_ticks = SECONDS_PER_DAY * ticks_per_second
    local day = truncate(self.daynum)
    local ticks = self.dayfrc + (self.daynum - day) * day_ticks
    day = day + floor(ticks / day_ticks)
    if not (day >= first_day and day <= last_day) then
        error("date beyond imposed limits")
    end
    self.daynum, self.dayfrc = day, ticks % day_ticks
    return self
end


local function ticks_of(hour, min, sec, ticks)
    return ((hour * 60 + min) * 60 + sec) * ticks_per_second + ticks
end


local function from_parts(year, month, day, hour, min, sec, ticks)
    year, month, day = truncate(year), month_of(month), truncate(day)
    hour, min, sec, ticks = tonumber(hour or 0), tonumber(min or 0), tonumber(sec or 0), tonumber(ticks or 0)
    if not (year and month and day and hour and min and sec and ticks) then invalid() end
    return new(day_of(year, month, day), ticks_of(hour, min, sec, ticks)):normalize()
end


local function from_table(t)
    local has_date = t.year or t.month or t.day
    if has_date and not (t.year and t.month and t.day) then error("incomplete table") end
    if not has_date and not (t.hour or t.min or t.sec or t.ticks) then error("invalid date time value") end
    return from_parts(t.year or 1, t.month or 1, t.day or 1, t.hour, t.min, t.sec, t.ticks)
end


local function from_seconds(seconds)
    -- The days are taken off before the fraction is multiplied, so that it stays exact.
    local days = floor(seconds / SECONDS_PER_DAY)
    return new(EPOCH_DAY + days, (seconds - days * SECONDS_PER_DAY) * ticks_per_second):normalize()
end


-- Texts as dates ---------------------------------------------------------------------------------------------------

-- What is known so far of a date, and the place in its text.
local Parser = {}
Parser.__index = Parser


function Parser:fail(why)
    error(format("%s: \"%s\" at %d", why, self.text, self.at), 0)
end


-- Notes a part; each can be given once.
function Parser:set(part, value)
    if self[part] then self:fail("duplicate value") end
    self[part] = tonumber(value)
end


-- Moves behind `pattern`, which begins with ^, and returns its captures.
function Parser:take(pattern)
    local _, last, a, b, c, d = find(self.text, pattern, self.at)
    if not last then return nil end
    self.at = last + 1
    return a or true, b, c, d
end


-- Minutes that UTC is later than a zone whose offset is written as hours, or as hours and minutes without a colon.
local function zone_minutes(sign, digits, minutes)
    local number = tonumber(digits)
    if minutes then
        number = number * 60 + tonumber(minutes)
    elseif number < 24 then
        number = number * 60
    else
        number = floor(number / 100) * 60 + number % 100
    end
    return sign == "+" and -number or number
end


function Parser:zone()
    local sign, hours, minutes = self:take("^([+-])(%d%d?):(%d%d)")
    if not sign then sign, hours = self:take("^([+-])(%d+)") end
    if not sign then return false end
    if self.offset and self.offset ~= 0 then self:fail("duplicate value") end
    self.offset = zone_minutes(sign, hours, minutes)
    return true
end


-- The date at the start of an ISO 8601 text, with or without hyphens.
function Parser:iso_date()
    local year = self:take("^(%d%d%d%d)")
    if not year then return false end
    local hyphen, week, day = self:take("^(%-?)[Ww](%d%d)%1(%d)")
    if not week then hyphen, week = self:take("^(%-?)[Ww](%d%d)") end
    if week then
        self.year, self.week, self.weekday = tonumber(year), tonumber(week), tonumber(day or 1)
        return true
    end
    local _, month, in_month = self:take("^(%-?)(%d%d)%1(%d%d)")
    if month then
        self.year, self.month, self.day = tonumber(year), tonumber(month), tonumber(in_month)
        return true
    end
    local in_year = self:take("^%-?(%d%d%d)")
    if in_year then
        self.year, self.yearday = tonumber(year), tonumber(in_year)
        return true
    end
    month = self:take("^%-(%d%d)")
    if not month then return false end
    self.year, self.month, self.day = tonumber(year), tonumber(month), 1
    return true
end


-- The time and zone behind it. True if nothing else follows.
function Parser:iso_time()
    local hour = self:take("^%s*[Tt]?(%d%d)")
    if hour then
        self.hour, self.min = tonumber(hour), tonumber((self:take("^:?(%d%d)")))
        local sec = self.min and self:take("^:?(%d%d)")
        if sec then
            self.sec = tonumber(sec .. gsub(self:take("^([,.]%d+)") or "", ",", "."))
        end
    end
    if not self:take("^%s*[Zz]%f[%A]") then
        local place = self.at
        self:take("^%s*")
        if not self:zone() then self.at = place end
    end
    return self:take("^%s*$") ~= nil
end


-- A number with a colon: an hour, and what follows.
function Parser:time()
    local hour = self:take("^[Tt:]?%s*(%d%d?):")
    if not hour then return false end
    self:set("hour", hour)
    local min = self:take("^%s*(%d%d?)")
    if min then
        self:set("min", min)
        local sec = self:take("^%s*:%s*(%d%d?)")
        if sec then
            self:set("sec", sec .. gsub(self:take("^([,.]%d+)") or "", ",", "."))
        end
    end
    return true
end


-- A number alone: the month, the day or the year, in this order unless it is too large for that.
function Parser:number()
    local digits = self:take("^(%d+)[/\\%s,-]?%s*")
    if not digits then return false end
    local number = tonumber(digits)
    if number >= 70 or #digits > 3 or (self.month and self.day and not self.year) then
        if number < 100 and #digits <= 3 then
            number = number + (number < century_flip and 2000 or 1900)
        end
        self:set("year", number)
    elseif self.month then
        self:set("day", number)
    else
        self.month, self.month_is_number = number, true
    end
    return true
end


-- am, pm, and the eras.
function Parser:abbreviation()
    if self:take("^[bB]%s*%.?%s*[cC]%s*%.?%s*[eE]%f[%A]%s*%.?%s*") or self:take("^[bB]%s*%.?%s*[cC]%f[%A]%s*%.?%s*") then
        self:set("era", -1)
    elseif self:take("^[aA]%s*%.?%s*[dD]%f[%A]%s*%.?%s*") or self:take("^[cC]%s*%.?%s*[eE]%f[%A]%s*%.?%s*") then
        self:set("era", 1)
    else
        local half = self:take("^([aApP])%s*%.?%s*[mM]?%f[%A]%s*%.?%s*")
        if not half then self:fail("syntax error") end
        if not self.hour or self.hour > 12 then self:fail("invalid date") end
        self.hour = self.hour % 12 + (lower(half) == "p" and 12 or 0)
    end
end


-- A name: of a month, a zone or a day of the week (which says nothing new), or one of the abbreviations.
function Parser:word()
    local word = match(self.text, "^%a+", self.at)
    if not word then return false end
    local month, offset = name_index(MONTHS, word, 3), ZONES[lower(word)]
    if month then
        -- A number before the name was the day.
        if self.month_is_number and not self.day and not self.year then
            self.day, self.month, self.month_is_number = self.month, nil, nil
        end
        self:set("month", month)
    elseif offset then
        if offset ~= 0 and (self.offset or 0) ~= 0 then self:fail("duplicate value") end
        if offset ~= 0 then self.offset = offset end
    elseif not name_index(WEEKDAYS, word, 2) then
        self:abbreviation()
        return true
    end
    self:take("^%a+%.?[/\\%s,-]?%s*")
    return true
end


function Parser:object()
    local has_day = self.month and self.day or self.week or self.yearday
    if not (self.year or self.hour) or (self.year ~= nil) ~= (has_day ~= nil) or (self.month == nil) ~= (self.day == nil) then
        self:fail("invalid date")
    end
    local year = self.year
    if self.era == -1 and year and year > 0 then year = 1 - year end
    local day = 0
    if self.week then
        day = iso_start(year) + 7 * (self.week - 1) + self.weekday - 1
    elseif self.yearday then
        day = day_of(year, 1, self.yearday)
    elseif year then
        day = day_of(year, self.month, self.day)
    end
    local minutes = (self.min or 0) + (self.offset or 0)
    return new(day, ticks_of(self.hour or 0, minutes, self.sec or 0, 0)):normalize()
end


local function parse(text)
    if #text > MAX_TEXT then error("invalid date: the text is too long", 0) end
    -- What is in parentheses is a comment.
    text = gsub(gsub(text, "%b()", ""), "^%s+", "")
    local parser = setmetatable({text = text, at = 1}, Parser)
    if parser:iso_date() and parser:iso_time() then return parser:object() end
    parser = setmetatable({text = text, at = 1}, Parser)
    while parser.at <= #text do
        if not (parser:time() or parser:number() or parser:word() or parser:zone()) then
            parser:fail("syntax error")
        end
        parser:take("^[%s,]+")
    end
    return parser:object()
end


-- An object of a value of any kind that stands for a date; an object is returned as it is.
local function to_date(value)
    local kind = type(value)
    if is_date(value) then return value end
    if kind == "number" then return from_seconds(value) end
    if kind == "string" then return parse(value) end
    if kind == "boolean" then return from_seconds(os.time()) end
    if kind == "table" then return from_table(value) end
    error("invalid date time value")
end


-- Reading ----------------------------------------------------------------------------------------------------------

function Date:getdate() return civil_of(self.daynum) end

function Date:gettime()
    local seconds = floor(self.dayfrc / ticks_per_second)
    return floor(seconds / 3600), floor(seconds / 60) % 60, seconds % 60, self.dayfrc % ticks_per_second
end

function Date:getyear() return (civil_of(self.daynum)) end
function Date:getmonth() return (select(2, civil_of(self.daynum))) end
function Date:getday() return (select(3, civil_of(self.daynum))) end
function Date:gethours() return (self:gettime()) end
function Date:getminutes() return (select(2, self:gettime())) end
function Date:getseconds() return (select(3, self:gettime())) end

function Date:getfracsec()
    local _, _, sec, ticks = self:gettime()
    return sec + ticks / ticks_per_second
end

-- With `unit`, ticks of which a second has that many.
function Date:getticks(unit)
    local ticks = self.dayfrc % ticks_per_second
    return unit and ticks * unit / ticks_per_second or ticks
end

function Date:getclockhour() return (self:gethours() + 11) % 12 + 1 end
function Date:getweekday() return weekday_of(self.daynum) + 1 end
function Date:getyearday() return self.daynum - day_of(self:getyear(), 1, 1) + 1 end

-- The week of the year, when weeks begin with `first` (1, the default, is Sunday); days before the first such day are in week 0.
function Date:getweeknumber(first)
    local base = 1
    if first then base = tonumber(first) or invalid() end
    local weekday = (weekday_of(self.daynum) - (base - 1)) % 7
    return floor((self:getyearday() - 1 - weekday + 7) / 7)
end

function Date:getisoweekday() return (weekday_of(self.daynum) + 6) % 7 + 1 end
function Date:getisoyear() return (iso_week_of(self.daynum)) end
function Date:getisoweeknumber() return (select(2, iso_week_of(self.daynum))) end

function Date:getisodate()
    local year, week = iso_week_of(self.daynum)
    return year, week, self:getisoweekday()
end

-- Local time is UTC.
function Date:getbias() return 0 end
function Date:gettzname() return "UTC" end


-- Changing ---------------------------------------------------------------------------------------------------------

-- What is to be set: the new value as a whole number, or the old if none is given.
local function choose(value, old, convert)
    if value == nil or value == false then return old end
    return (convert or truncate)(value) or invalid()
end

function Date:setyear(y, m, d)
    local year, month, day = civil_of(self.daynum)
    self.daynum = day_of(choose(y, year), choose(m, month, month_of), choose(d, day))
    return self:normalize()
end

function Date:setmonth(m, d) return self:setyear(nil, m, d) end
function Date:setday(d) return self:setyear(nil, nil, d) end

function Date:setisoyear(y, w, d)
    local year, week, day = self:getisodate()
    self.daynum = iso_start(choose(y, year)) + 7 * (choose(w, week) - 1) + choose(d, day) - 1
    return self:normalize()
end

function Date:setisoweeknumber(w, d) return self:setisoyear(nil, w, d) end
function Date:setisoweekday(d) return self:setisoyear(nil, nil, d) end

function Date:sethours(h, m, s, t)
    local hour, min, sec, ticks = self:gettime()
    self.dayfrc = ticks_of(choose(h, hour, tonumber), choose(m, min, tonumber), choose(s, sec, tonumber),
        choose(t, ticks, tonumber))
    return self:normalize()
end

function Date:setminutes(m, s, t) return self:sethours(nil, m, s, t) end
function Date:setseconds(s, t) return self:sethours(nil, nil, s, t) end
function Date:setticks(t) return self:sethours(nil, nil, nil, t) end

function Date:addyears(y, m, d)
    local year, month, day = civil_of(self.daynum)
    self.daynum = day_of(year + choose(y, 0), month + choose(m, 0), day + choose(d, 0))
    return self:normalize()
end

function Date:addmonths(m, d) return self:addyears(nil, m, d) end

-- Adds `n` units of which a day has `per_day`.
local function add(self, n, per_day)
    n = tonumber(n) or invalid()
    local days = floor(n / per_day)
    self.daynum = self.daynum + days
    self.dayfrc = self.dayfrc + (n - days * per_day) * (SECONDS_PER_DAY * ticks_per_second / per_day)
    return self:normalize()
end

function Date:adddays(n) return add(self, n, 1) end
function Date:addhours(n) return add(self, n, 24) end
function Date:addminutes(n) return add(self, n, 1440) end
function Date:addseconds(n) return add(self, n, SECONDS_PER_DAY) end
function Date:addticks(n) return add(self, n, SECONDS_PER_DAY * ticks_per_second) end

function Date:toutc() return self end
function Date:tolocal() return self end
function Date:copy() return new(self.daynum, self.dayfrc) end

function Date:spanticks() return self.daynum * SECONDS_PER_DAY * ticks_per_second + self.dayfrc end
function Date:spanseconds() return self:spanticks() / ticks_per_second end
function Date:spanminutes() return self:spanticks() / (60 * ticks_per_second) end
function Date:spanhours() return self:spanticks() / (3600 * ticks_per_second) end
function Date:spandays() return self:spanticks() / (SECONDS_PER_DAY * ticks_per_second) end


-- Comparing and joining --------------------------------------------------------------------------------------------

function Date.__eq(a, b) return a.daynum == b.daynum and a.dayfrc == b.dayfrc end
function Date.__lt(a, b) return a.daynum < b.daynum or (a.daynum == b.daynum and a.dayfrc < b.dayfrc) end
function Date.__le(a, b) return not Date.__lt(b, a) end
function Date.__concat(a, b) return tostring(a) .. tostring(b) end
function Date:__tostring() return self:fmt() end

function Date.__add(a, b)
    a, b = to_date(a), to_date(b)
    return new(a.daynum + b.daynum, a.dayfrc + b.dayfrc):normalize()
end

function Date.__sub(a, b)
    a, b = to_date(a), to_date(b)
    return new(a.daynum - b.daynum, a.dayfrc - b.dayfrc):normalize()
end


-- Dates as texts ---------------------------------------------------------------------------------------------------

-- Conversions that stand for others.
local GROUPS = {
    D = "%m/%d/%y", F = "%Y-%m-%d", h = "%b", r = "%I:%M:%S %p", R = "%H:%M", T = "%H:%M:%S",
    c = "%a %b %d %\b %H:%M:%\f", x = "%a %b %d %\b", X = "%H:%M:%\f",
}

local NAMED = {
    iso = "%Y-%m-%dT%T", http = "%a, %d %b %Y %T GMT", ctime = "%a %b %d %T GMT %Y", rfc850 = "%A, %d-%b-%y %T GMT",
    rfc1123 = "%a, %d %b %Y %T GMT", asctime = "%a %b %d %T %Y",
}

local CONVERSIONS = {
    a = function(d) return sub(WEEKDAYS[d:getweekday()], 1, 3) end,
    A = function(d) return WEEKDAYS[d:getweekday()] end,
    b = function(d) return sub(MONTHS[d:getmonth()], 1, 3) end,
    B = function(d) return MONTHS[d:getmonth()] end,
    C = function(d) return format("%.2d", truncate(d:getyear() / 100)) end,
    d = function(d) return format("%.2d", d:getday()) end,
    g = function(d) return format("%.2d", d:getisoyear() % 100) end,
    G = function(d) return format("%.4d", d:getisoyear()) end,
    H = function(d) return format("%.2d", d:gethours()) end,
    I = function(d) return format("%.2d", d:getclockhour()) end,
    j = function(d) return format("%.3d", d:getyearday()) end,
    m = function(d) return format("%.2d", d:getmonth()) end,
    M = function(d) return format("%.2d", d:getminutes()) end,
    p = function(d) return d:gethours() < 12 and "AM" or "PM" end,
    S = function(d) return format("%.2d", d:getseconds()) end,
    u = function(d) return tostring(d:getisoweekday()) end,
    U = function(d) return format("%.2d", d:getweeknumber()) end,
    V = function(d) return format("%.2d", d:getisoweeknumber()) end,
    w = function(d) return tostring(d:getweekday() - 1) end,
    W = function(d) return format("%.2d", d:getweeknumber(2)) end,
    y = function(d) return format("%.2d", d:getyear() % 100) end,
    Y = function(d) return format("%.4d", d:getyear()) end,
    z = function() return "+0000" end,
    Z = function(d) return d:gettzname() end,
    ["\b"] = function(d)
        local year = d:getyear()
        return year > 0 and format("%.4d", year) or format("%.4d BCE", 1 - year)
    end,
    ["\f"] = function(d)
        return format("%012.9f", d:getfracsec())
    end,
    ["%"] = function() return "%" end,
}


function Date:fmt(text)
    text = gsub(text or self.fmtstr or default_format, "%${(%w+)}", NAMED)
    text = gsub(text, "%%([cDFhrRTxX%%])", function(c) return GROUPS[c] end)
    return (gsub(text, "%%([%a%%\b\f])", function(c)
        local convert = CONVERSIONS[c]
        return convert and convert(self) or nil
    end))
end

Date.fmt0 = Date.fmt


-- The functions of LuaDate -----------------------------------------------------------------------------------------

function M.__call(_, first, ...)
    local n = select("#", ...) + (first == nil and 0 or 1)
    if n == 0 then return to_date(false) end
    if n > 1 then return from_parts(first, ...) end
    local object = to_date(first)
    return is_date(first) and object:copy() or object
end

M.diff = Date.__sub

function M.epoch() return new(EPOCH_DAY, 0) end

function M.isodate(year, week, day)
    year = truncate(year) or invalid()
    return new(iso_start(year) + 7 * (choose(week, 1) - 1) + choose(day, 1) - 1, 0)
end

function M.isleapyear(value)
    return is_leap_year(type(value) ~= "table" and truncate(value) or to_date(value):getyear())
end

function M.fmt(text)
    if text then default_format = text end
    return default_format
end

function M.ticks(n)
    if n then ticks_per_second = n end
    return ticks_per_second
end

function M.daynummin(n)
    if n and n < last_day then first_day = n end
    return n and first_day or new(first_day, 0)
end

function M.daynummax(n)
    if n and n > first_day then last_day = n end
    return n and last_day or new(last_day, 0)
end

function M.setcenturyflip(year)
    if type(year) ~= "number" or year ~= floor(year) or year < 0 or year > 100 then invalid() end
    century_flip = year
end

function M.getcenturyflip() return century_flip end


-- The functions on nanoseconds -------------------------------------------------------------------------------------

-- Seconds and nanoseconds.
local function split(moment)
    local whole = truncate(moment)
    if whole ~= whole or whole - whole ~= 0 then error("the time must be finite", 3) end
    local seconds = floor(whole / NANOSECONDS)
    local nanos = whole - seconds * NANOSECONDS
    if nanos < 0 then
        return seconds - 1, nanos + NANOSECONDS
    end
    return seconds, nanos
end


local function check(value, position, name, kind)
    if type(value) == kind or (kind == "number" and tonumber(value)) then return end
    local got = value == nil and "no value" or type(value)
    error(format("bad argument #%d to '%s' (%s expected, got %s)", position, name, kind, got), 3)
end


-- Seconds that the zone is east of UTC, and its abbreviation.
local function offset_at(zone, seconds)
    if zone == nil or zone == "UTC" then return 0, "UTC" end
    return timezone.offset(zone, seconds)
end


-- The moment at which the clocks of the zone show that many seconds after 1970.
local function from_local(zone, seconds, nanos)
    if zone ~= nil and zone ~= "UTC" then
        seconds = seconds - timezone.local_offset(zone, seconds)
    end
    return seconds * NANOSECONDS + nanos
end


function M.format(moment, text, zone)
    check(moment, 1, "format", "number")
    check(text, 2, "format", "string")
    local seconds, nanos = split(tonumber(moment))
    local offset, abbreviation = offset_at(zone, seconds)
    local minutes = floor((offset < 0 and -offset or offset) / 60)
    local sign = offset < 0 and "-" or "+"
    local own = {
        S = format("%%S.%09d", nanos),
        T = format("%%H:%%M:%%S.%09d", nanos),
        Z = gsub(abbreviation, "%%", "%%%%"),
        z = format("%s%02d%02d", sign, floor(minutes / 60), minutes % 60),
        s = tostring(seconds),
        ["%"] = "%%",
    }
    text = gsub(text, "%%(.)", own)
    return os.date("!" .. text, seconds + offset)
end


local UNITS = {day = SECONDS_PER_DAY, hour = 3600, minute = 60, second = 1}

function M.floor(moment, unit, zone)
    check(moment, 1, "floor", "number")
    local size = UNITS[unit == nil and "day" or unit]
    if not size then
        error(format("bad argument #2 to 'floor' (invalid option '%s')", tostring(unit)), 2)
    end
    local seconds = split(tonumber(moment))
    local shown = seconds + offset_at(zone, seconds)
    return from_local(zone, shown - shown % size, 0)
end


local COMPONENTS = {"year", "month", "day", "hour", "min", "sec", "wday"}

function M.get(moment, component, zone)
    check(moment, 1, "get", "number")
    local seconds, nanos = split(tonumber(moment))
    local parts = os.date("!*t", seconds + offset_at(zone, seconds)) or error("the time is out of range")
    local fraction = nanos / NANOSECONDS
    if type(component) == "table" then
        for _, name in ipairs(COMPONENTS) do component[name] = parts[name] end
        component.sec_frac = fraction
        return component
    end
    if type(component) ~= "string" then
        error(format("bad argument #2 to 'get' (table, string expected, got %s)", type(component)), 2)
    end
    if component == "sec_frac" then return fraction end
    for _, name in ipairs(COMPONENTS) do
        if name == component then return parts[name] end
    end
    error(format("bad argument #2 to 'get' (invalid option '%s')", component), 2)
end


-- How conversions are read: a pattern, and what its capture means.
local READERS = {
    Y = {"^([+-]?%d%d?%d?%d?)", function(p, v) p.year = tonumber(v) end},
    y = {"^(%d%d)", function(p, v) p.year = tonumber(v) + (tonumber(v) < 69 and 2000 or 1900) end},
    m = {"^(%d%d?)", function(p, v) p.month = tonumber(v) end},
    d = {"^%s*(%d%d?)", function(p, v) p.day = tonumber(v) end},
    j = {"^(%d%d?%d?)", function(p, v) p.yearday = tonumber(v) end},
    H = {"^(%d%d?)", function(p, v) p.hour = tonumber(v) end},
    I = {"^(%d%d?)", function(p, v) p.hour = tonumber(v) % 12 end},
    M = {"^(%d%d?)", function(p, v) p.min = tonumber(v) end},
    S = {"^(%d%d?%.?%d*)", function(p, v) p.sec = v end},
    p = {"^([AaPp][Mm])", function(p, v) p.afternoon = lower(v) == "pm" end},
    B = {"^(%a+)", function(p, v) p.month = name_index(MONTHS, v, 3) or 0 end},
    A = {"^(%a+)", function(p, v) p.bad = not name_index(WEEKDAYS, v, 3) end},
    Z = {"^([%a_/+-]+)", function() end},
    z = {"^([+-]%d%d:?%d?%d?)", function() end},
    n = {"^(%s*)", function() end},
    ["%"] = {"^(%%)", function() end},
}
READERS.e, READERS.t, READERS.a, READERS.b, READERS.h = READERS.d, READERS.n, READERS.A, READERS.B, READERS.B


-- Reads `text` as `spec` says; nil if it does not fit.
local function read_parts(text, spec)
    spec = gsub(spec, "%%([TFDR])", GROUPS)
    local parts, at, i = {}, 1, 1
    while i <= #spec do
        local c = sub(spec, i, i)
        local reader = {c == "%" and "" or "^(%" .. c .. ")", function() end}
        if c == "%" then
            i = i + 1
            reader = READERS[sub(spec, i, i)]
        elseif find(c, "^%s") then
            reader = READERS.n
        elseif find(c, "^%w") then
            reader[1] = "^(" .. c .. ")"
        end
        if not reader then return nil end
        local _, last, value = find(text, reader[1], at)
        if not last then return nil end
        reader[2](parts, value)
        at, i = last + 1, i + 1
    end
    return not parts.bad and parts or nil
end


-- The digits behind the point as nanoseconds, exactly.
local function nanos_of(sec)
    local digits = match(sec or "", "%.(%d+)") or ""
    return tonumber(sub(digits .. rep("0", 9), 1, 9))
end


local function time_of_text(text, spec, zone)
    if #text > MAX_TEXT or #spec > MAX_TEXT then error("parse failed", 0) end
    local p = read_parts(text, spec)
    if not p then error("parse failed", 0) end
    local month, day = p.month or 1, p.day or 1
    local sec = floor(tonumber(p.sec or 0))
    local hour = (p.hour or 0) + (p.afternoon and (p.hour or 0) < 12 and 12 or 0)
    if month < 1 or month > 12 or day < 1 or day > 31 or hour > 23 or (p.min or 0) > 59 or sec > 60 then
        error("parse failed", 0)
    end
    if p.yearday then month, day = 1, p.yearday end
    local days = day_of(p.year or 1970, month, day) - EPOCH_DAY
    return from_local(zone, days * SECONDS_PER_DAY + (hour * 60 + (p.min or 0)) * 60 + sec, nanos_of(p.sec))
end


local function time_of_table(t, zone)
    local function part(name) return truncate(t[name]) or 0 end
    local days = day_of(part("year"), part("month"), part("day")) - EPOCH_DAY
    local seconds = days * SECONDS_PER_DAY + (part("hour") * 60 + part("min")) * 60 + part("sec")
    local nanos = floor((tonumber(t.sec_frac) or 0) * NANOSECONDS + 0.5)
    local carried = floor(nanos / NANOSECONDS)
    return from_local(zone, seconds + carried, nanos - carried * NANOSECONDS)
end


function M.time(first, second, third, fourth)
    local kind = type(first)
    if kind == "string" and type(second) == "string" and find(second, "%", 1, true) then
        return time_of_text(first, second, third)
    end
    if kind == "table" then return time_of_table(first, second) end
    if kind == "nil" and second == nil then return os.time() * NANOSECONDS end
    -- LuaDate's: a span.
    local hour, min, sec, ticks = tonumber(first), tonumber(second or 0), tonumber(third or 0), tonumber(fourth or 0)
    if not (hour and min and sec and ticks) then
        error(format("bad argument #1 to 'time' (string, table, none expected, got %s)", kind), 2)
    end
    return new(0, ticks_of(hour, min, sec, ticks)):normalize()
end


if date == nil then date = M end -- luacheck: ignore

return M
