-- Dates and times: each grammar, numbers and tables alike, years that are not written, errors.
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

local math, os = require "math", require "os"
local dt = require "lpeg.date_time"

-- The same moment from a time table and from the grammar that makes a number.
local function moment(name, text, expected)
    same(dt.time_to_ns(dt[name]:match(text)), expected, name .. " " .. text)
    same(dt[name .. "_ns"]:match(text), expected, name .. "_ns " .. text)
    -- The second time it is remembered.
    same(dt[name .. "_ns"]:match(text), expected, name .. "_ns again")
end

moment("rfc3339", "2026-03-11T22:14:15Z", 1773267255e9)
moment("rfc3339", "2026-03-11T22:14:15.5+01:30", 1773261855.5e9)
moment("rfc3339", "2026-03-11T22:14:15.25-07:00", 1773292455.25e9)
moment("rfc3339", "1969-12-31T23:59:59Z", -1e9)
moment("rfc3339", "2016-12-31T23:59:60Z", 1483228800e9)
moment("rfc3339", "2000-02-29T00:00:00Z", 951782400e9)
moment("clf_timestamp", "11/Mar/2026:22:14:15 +0000", 1773267255e9)
moment("clf_timestamp", "11/Mar/2026:22:14:15 -0830", 1773297855e9)
moment("mysql_timestamp", "20260311221415", 1773267255e9)
moment("pgsql_timestamp", "2026-03-11 22:14:15", 1773267255e9)

for _, text in ipairs{ "2026-13-11T22:14:15Z", "2026-03-32T22:14:15Z", "2026-03-11T24:14:15Z", "2026-03-11T22:60:15Z",
                       "2026-03-11T22:14:61Z", "2026-03-11T22:14:15", "2026-03-11T22:14:15.Z", "2026-03-11", "", "\0" } do
    same(dt.rfc3339:match(text), nil, text)
    same(dt.rfc3339_ns:match(text), nil, text)
end
-- The number is less strict about letters and the colon.
same(dt.rfc3339:match("2026-03-11t22:14:15z"), nil)
same(dt.rfc3339_ns:match("2026-03-11t22:14:15z"), 1773267255e9)
same(dt.rfc3339_ns:match("2026-03-11T22:14:15+0130"), 1773261855e9)

same(dt.rfc3339:match("2026-03-11T22:14:15.5-07:30"), {
    year = "2026", month = "03", day = "11", hour = "22", min = "14", sec = "15", sec_frac = 0.5,
    offset_sign = "-", offset_hour = 7, offset_min = 30,
})

-- Without a year: that of today, unless it were far ahead.
local now = os.time()
for days = -365, 365, 7 do
    local then_ = now + days * 86400
    local text = os.date("!%b %d %H:%M:%S", then_)
    if not string.find(text, "Feb 29", 1, true) then
        local ns = dt.rfc3164_timestamp_ns:match(text)
        same(dt.time_to_ns(dt.rfc3164_timestamp:match(text)), ns, text)
        local ahead = ns / 1e9 - now
        assert(ahead <= 180 * 86400 and ahead > -366 * 86400, text)
        assert(math.floor(ns / 1e9) % 86400 == then_ % 86400, text)
    end
end
same(os.date("!%b %d %H:%M:%S", dt.rfc3164_timestamp_ns:match("Mar  1 01:02:03") / 1e9), "Mar 01 01:02:03")
for _, text in ipairs{ "Foo 11 22:14:15", "Mar 32 22:14:15", "Mar 0 22:14:15", "Mar 11 24:14:15", "Mar11 22:14:15" } do
    same(dt.rfc3164_timestamp_ns:match(text), nil, text)
    same(dt.rfc3164_timestamp:match(text), nil, text)
end

-- More moments than are remembered, twice.
for round = 1, 2 do
    for i = 0, 299 do
        local text = string.format("11/Mar/2026:22:%02d:%02d +0000", math.floor(i / 60), i % 60)
        same(dt.clf_timestamp_ns:match(text), (1773266400 + i) * 1e9, text)
    end
end

-- strftime
local formats = {
    { "%Y-%m-%d %H:%M:%S", "2026-03-11 22:14:15", 1773267255e9 },
    { "%F %T", "2026-03-11 22:14:15", 1773267255e9 },
    { "%c", "Wed Mar 11 22:14:15 2026", 1773267255e9 },
    { "%D %r", "03/11/26 10:14:15 PM", 1773267255e9 },
    { "%D %r", "03/11/26 12:14:15 AM", 1773188055e9 },
    { "%D %r", "03/11/26 12:14:15 PM", 1773231255e9 },
    { "%e %B %Y, %k:%M", " 1 March 2026,  9:05", 1772355900e9 },
    { "%d %h %y %R %z", "11 Mar 99 22:14 +0100", 921186840e9 },
    { "%s", "1773267255", 1773267255e9 },
    { "%d/%b/%Y:%H:%M:%S.%f", "11/Mar/2026:22:14:15.125", 1773267255.125e9 },
    { "%F%n%T%t%Z", "2026-03-11\n22:14:15\tPST", 1773296055e9 },
    { "%F %T %Z", "2026-03-11 22:14:15 CEST", 1773267255e9 },
    { "at %F: %H hours, 100%%", "at 2026-03-11: 22 hours, 100%", 1773266400e9 },
    { "%a %A %j %U %u %w %C %F %I:%M %p", "Wed Wednesday 070 10 3 3 20 2026-03-11 10:14 PM", 1773267240e9 },
}
for _, case in ipairs(formats) do
    local found = dt.build_strftime_grammar(case[1]):match(case[2])
    assert(found, case[1])
    same(dt.time_to_ns(found), case[3], case[1])
    same(dt.build_strftime_ns_grammar(case[1]):match(case[2]), case[3], case[1])
    same(dt.build_strftime_grammar(case[1]):match("?"), nil, case[1])
end

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
fails("unknown strftime specifier: E", dt.build_strftime_grammar, "%E")
fails("unknown strftime specifier: E", dt.build_strftime_ns_grammar, "%H:%E")
fails("could not parse the strftime format", dt.build_strftime_grammar, "")
fails("bad argument", dt.build_strftime_grammar, nil)
fails("bad argument", dt.build_strftime_grammar, {})
fails("field 'day' missing in date table", dt.time_to_ns, { hour = 1 })
fails("field 'day' missing in date table", function() return dt.build_strftime_ns_grammar("%H:%M"):match("10:11") end)

same(dt.time_to_ns(nil), 0)
same(dt.time_to_ns("x"), 0)
same(dt.time_to_ns{ time_t = 5 }, 5e9)
same(dt.time_to_ns{ year = 1970, month = 1, day = 1 }, 43200e9)
same(dt.time_to_ns{ year = 2025, month = 14, day = 1, hour = 0 }, 1769904000e9, "months go on counting")
same(dt.seconds_to_ns(2.5), 2.5e9)
same(dt.seconds_to_ns("2"), 2e9)
fails("attempt", dt.seconds_to_ns, "x")

local long = string.rep("2026-03-11T22:14:15.", 50000)
for _, name in ipairs{ "rfc3339", "clf_timestamp", "rfc3164_timestamp", "mysql_timestamp", "pgsql_timestamp" } do
    same(dt[name]:match(long), nil, name)
    same(dt[name .. "_ns"]:match(string.rep("\0", 100000)), nil, name)
end
