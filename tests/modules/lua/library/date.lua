-- kind: analysis
-- Dates as objects, and moments in nanoseconds.
local string = require "string"
require "date"
assert(date == require "date")

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end

-- Texts with one meaning.
local same = {
    {"Jul 27 2006 03:56:28 +2:00", 2006, 7, 27, 1, 56, 28},
    {"Jul 27 2006 -75 ", 2006, 7, 27, 1, 15, 0},
    {"Jul 27 2006 -115", 2006, 7, 27, 1, 15, 0},
    {"Jul 27 2006 +10 ", 2006, 7, 26, 14, 0, 0},
    {"Jul 27 2006 GMT", 2006, 7, 27},
    {"Jul 27 2006 EST", 2006, 7, 27, 5},
    {"Jul 27 2006 CDT", 2006, 7, 27, 5},
    {"Jul 27 2006 PST", 2006, 7, 27, 8},
    {"02-03-04", 1904, 2, 3},
    {"12/25/98", 1998, 12, 25},
    {"Feb-03-04", 1904, 2, 3},
    {"December 25 1998", 1998, 12, 25},
    {"25 December 1998", 1998, 12, 25},
    {"1998 December 25", 1998, 12, 25},
    {"Feb 3 0003 BC", -2, 2, 3},
    {"December 25 0001 B.C.E.", 0, 12, 25},
    {"2000-12-31", 2000, 12, 31},
    {" 20001231 ", 2000, 12, 31},
    {"1995-035", 1995, 2, 4},
    {"1995035 ", 1995, 2, 4},
    {"1997-W01-1", 1996, 12, 30},
    {"  1997W017", 1997, 1, 5},
    {"2006-07", 2006, 7, 1},
    {"1995-02-04 24:00:51.536", 1995, 2, 5, 0, 0, 51.536},
    {"1995-02-04 24:00:51,536", 1995, 2, 5, 0, 0, 51.536},
    {"1976-W01-1 12:12:12.123", 1975, 12, 29, 12, 12, 12.123},
    {"  19950205T000051.536  ", 1995, 2, 5, 0, 0, 51.536},
    {"  1976W011T121212.123  ", 1975, 12, 29, 12, 12, 12.123},
    {" 1995035T235959.99999  ", 1995, 2, 4, 23, 59, 59.99999},
    {"1976-W01-1 12:00Z     ", 1975, 12, 29, 12},
    {"1976-W01-1 0700-0500  ", 1975, 12, 29, 12},
    {"2023-08-22T17:40:23.308574-05:00", 2023, 8, 22, 22, 40, 23.308574},
    {"2023-08-22T17:40:23.308574-05", 2023, 8, 22, 22, 40, 23.308574},
    {"2023-08-22T19:40:23-09:30", 2023, 8, 23, 5, 10, 23},
    {"Thu, 27 Jul (a (nested) comment) 2006 3:56 PM", 2006, 7, 27, 15, 56},
    {"27 Jul 2006 12:30 am", 2006, 7, 27, 0, 30},
    {"Sun Aug 13 2006", 2006, 8, 13},
}
for _, case in ipairs(same) do
    local text = case[1]
    local found, wanted = date(text), date(unpack(case, 2))
    assert(found == wanted, text .. ": " .. found .. " is not " .. wanted)
end

for _, text in ipairs {"", "foo", "2006-13-", "23:15 PM", "10:00 10:00", "Jan Feb 2000", "2000", "5", "Jan 5", "1 2 3 4",
    "2000-01-01T", "EST PST Jul 27 2006", string.rep("1 ", 600), "pm", "++", "\0"} do
    assert(not pcall(date, text), "accepted: " .. text)
end
fails("incomplete table", date, {year = 2000})
fails("invalid date time value", date, {})
fails("invalid argument", date, 2000, "x", 1)
fails("beyond imposed limits", date, 2e6, 1, 1)
assert(not pcall(date, 0 / 0) and not pcall(date, 1 / 0) and not pcall(date, print))

-- Other values.
assert(date(1234483200) == date("Feb 13 2009") and date {year = 2009, month = 11, day = 13, min = 6} == date("Nov 13 2009 00:06:00"))
assert(date.epoch() == date("jan 1 1970") and date():spandays() > 738000 and date(true) >= date.epoch())
assert(date(2006, "jul", 32) == date(2006, 8, 1) and date(2006, 14, 1) == date(2007, 2, 1) and date(2006, 0, 1) == date(2005, 12, 1))
assert(date.isleapyear(2000) and not date.isleapyear(1900) and date.isleapyear(date(1776, 1, 1)) and not date.isleapyear("2011-01-01"))

-- Every day of some years is taken apart to what it was made of.
for _, year in ipairs {-401, -4, -1, 0, 1, 4, 1599, 1600, 1900, 1999, 2000, 2023, 2024, 999999} do
    local first = date(year, 1, 1)
    for i = 0, date.isleapyear(year) and 365 or 364 do
        local d = first:copy():adddays(i)
        local y, m, day = d:getdate()
        assert(y == year and d:getyearday() == i + 1 and date(y, m, day) == d and date.isodate(d:getisodate()) == d)
    end
end

-- Reading.
local d = date("Wed Apr 04 2181 11:51:06.996 UTC")
assert(d:getyear() == 2181 and d:getmonth() == 4 and d:getday() == 4 and d:gethours() == 11 and d:getminutes() == 51)
assert(d:getseconds() == 6 and d:getfracsec() == 6.996 and d:getticks() == 996000 and d:getticks(1000) == 996)
assert(d:getweekday() == 4 and d:getisoweekday() == 3 and date("10:59:59 pm"):getclockhour() == 10)
local h, m, s, t = date {hour = 5, sec = .5, min = 59}:gettime()
assert(h == 5 and m == 59 and s == 0 and t == 500000)
assert(date(1977, 1, 2):getisoweeknumber() == 53 and date(1977, 1, 2):getisoyear() == 1976)
assert(date("12/31/1972"):getweeknumber() == 53 and date("12/31/1972"):getweeknumber(2) == 52)

-- Changing.
assert(date(1966, "july", 6):setday(1) == date("1966 july 1") and date(1966, "july", 6):setmonth(1) == date("6 jan 1966"))
assert(date(1984, 12, 3, 4, 39, 54):sethours(1, 1, 1) == date("1984 DEc 3 1:1:1"))
assert(date(1984, 12, 3, 4, 39, 54):setminutes(59, 59, 500) == date(1984, 12, 3, 4, 59, 59, 500))
assert(date(1984, 12, 3, 4, 39, 54):setseconds(59, date.ticks()) == date(1984, 12, 3, 4, 40))
assert(date(1984, 12, 3, 4, 39, 54):setticks(444) == date(1984, 12, 3, 4, 39, 54, 444))
assert(date.isodate(1999, 52, 1):setisoweekday(7) == date(2000, 1, 2) and date(1999, 12, 27):setisoweeknumber(51, 7) == date(1999, 12, 26))
assert(date(1999, 12, 27):setisoyear(2000, 1) == date.isodate(2000, 1, 1))
assert(date(2000, 12, 28):addmonths(3):getmonth() == 3 and date(2000, 2, 29):addyears(1) == date(2001, 3, 1))
fails("invalid argument", d.setyear, d, "x")
fails("invalid argument", d.adddays, d, {})

-- Spans.
local a = date(1521, 5, 2)
local b = a:copy():addseconds(0.001)
assert((a - b):spanseconds() == -0.001 and a + b == b + a and a == b - date("00:00:00.001") and a < b and a <= b and a ~= b)
local c = date.diff(date(2000, 12, 30):adddays(2), "2000-12-30")
assert(c:spandays() == 2 and c:spanhours() == 48 and c:spanminutes() == 2880 and c:spanseconds() == 172800 and c:spanticks() == 172800e6)
assert(date(2000, 12, 30):addhours(36.5):addminutes(-1) == date(2000, 12, 31, 12, 29) and date.time(1, 2, 3):spanseconds() == 3723)
assert(a .. "!" == tostring(a) .. "!" and a:tolocal() == a and a:toutc() == a and a:getbias() == 0)

-- Writing.
local w = date(1582, 10, 5, 18, 5, 9)
assert(w:fmt("%a %A %b %B %C %d %%D") == "Tue Tuesday Oct October 15 05 %D")
assert(w:fmt("%D %F %h %r %T %R") == "10/05/82 1582-10-05 Oct 06:05:09 PM 18:05:09 18:05")
assert(w:fmt("%g %G %u %V %w %j %U %W %y %z %Z") == "82 1582 2 40 2 278 40 40 82 +0000 UTC", w:fmt("%g %G %u %V %w %j %U %W %y %z %Z"))
assert(w:fmt("${iso} ${rfc1123} ${other} %Q") == "1582-10-05T18:05:09 Tue, 05 Oct 1582 18:05:09 GMT ${other} %Q")
assert(date(1446747300.00008):fmt("%\f") == "00.000080109" and date(-3, 1, 1):fmt("%\b") == "0004 BCE")
assert(tostring(date(2000, 1, 2)) == "Sun Jan 02 2000 00:00:00.000000000")
assert(date.fmt("%F") == "%F" and tostring(date(2000, 1, 2)) == "2000-01-02" and date.fmt("%x %X"))

-- Years of two digits.
date.setcenturyflip(50)
assert(date("01-01-49") == date(2049, 1, 1) and date("01-01-50") == date(1950, 1, 1) and date.getcenturyflip() == 50)
date.setcenturyflip(0)
fails("invalid argument", date.setcenturyflip, 101)

-- Moments in nanoseconds.
local zone = "America/Los_Angeles"
local ns = date.time("2017-07-16 17:00:00.123456", "%Y-%m-%d %H:%M:%S", zone)
assert(ns == 1.500249600123456e+18)
assert(date.format(ns, "%Y-%m-%d %H:%M:%S %Z", zone) == "2017-07-16 17:00:00.123456000 PDT")
assert(date.format(ns, "%Y-%m-%dT%H:%M:%SZ") == "2017-07-17T00:00:00.123456000Z")
assert(date.format(ns, "%F %T %z %% %s", "Asia/Kolkata") == "2017-07-17 05:30:00.123456000 +0530 % 1500249600")
assert(date.format(-1, "%T") == "23:59:59.999999999" and date.format(0, "%a %d %b %j") == "Thu 01 Jan 001")
assert(date.time({year = 2017, month = 7, day = 16, hour = 17, min = 0, sec = 0, sec_frac = 0.123456}, zone) == ns)
local t3 = date.time("2017-07-16 17:16:15.14", "%F %T", zone)
assert(date.floor(t3, "day", zone) == 1.5001884e+18 and date.floor(t3) == 1.5002496e+18 and date.floor(t3, "hour") == 1.5002496e+18)
assert(date.floor(t3, "minute") == 1.50025056e+18 and date.floor(t3, "second") == 1.500250575e+18)
local parts = date.get(t3, {}, zone)
assert(parts.year == 2017 and parts.month == 7 and parts.day == 16 and parts.hour == 17 and parts.min == 16 and parts.sec == 15)
assert(parts.sec_frac == 0.14 and parts.wday == 1 and date.get(t3, "wday") == 2 and date.get(t3, "sec_frac") == 0.14)

local function shown(t)
    return date.format(date.time(t, zone), "%Y-%m-%d %H:%M:%S %Z", zone)
end
assert(shown {year = 2017, month = 9, day = 31, hour = 23, min = 59, sec = 59, sec_frac = 0.9} == "2017-10-01 23:59:59.900000000 PDT")
assert(shown {year = 2017, month = 8, day = 31, hour = 24, min = 59, sec = 59, sec_frac = 0.9} == "2017-09-01 00:59:59.900000000 PDT")
assert(shown {year = 2017, month = 8, day = 31, hour = 23, min = 59, sec = 59, sec_frac = 1} == "2017-09-01 00:00:00.000000000 PDT")
assert(shown {year = 2017, month = 8, day = 31, hour = -1} == "2017-08-30 23:00:00.000000000 PDT")
local function midnight(month, day) return date.time({year = 2017, month = month, day = day}, zone) end
assert(midnight(3, 13) - midnight(3, 12) == 82800e9 and midnight(11, 6) - midnight(11, 5) == 90000e9)

assert(date.time("Jul 17, 2017 1:05 PM", "%b %d, %Y %I:%M %p") == date.time({year = 2017, month = 7, day = 17, hour = 13, min = 5}))
assert(date.time("17/07/99 12AM", "%d/%m/%y %I%p") == date.time({year = 1999, month = 7, day = 17}))
assert(date.time("2017-198", "%Y-%j") == date.time("2017-07-17", "%F") and date.time() > 1.7e18)
for _, case in ipairs {{"x", "%Y"}, {"2017-13-01", "%F"}, {"2017", "%Q"}, {"2017", "%Y-"}, {"Foo", "%a"}, {"25:00", "%R"}, {"1", "%"}} do
    fails("parse failed", date.time, unpack(case))
end
fails("bad argument #1 to 'time' (string, table, none expected, got boolean)", function() date.time(true) end)
fails("bad argument #1 to 'format' (number expected, got table)", function() date.format({}, "%F") end)
fails("bad argument #2 to 'format' (string expected, got no value)", function() date.format(0) end)
fails("bad argument #2 to 'floor' (invalid option 'week')", function() date.floor(0, "week") end)
fails("bad argument #2 to 'get' (invalid option 'week')", function() date.get(0, "week") end)
fails("Mars/Base not found in timezone database", function() date.format(0, "%F", "Mars/Base") end)
assert(not pcall(date.format, 0 / 0, "%F") and not pcall(date.format, 1 / 0, "%F"))
