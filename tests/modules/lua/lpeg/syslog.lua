-- Templates of rsyslog, and the pieces for messages.
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

local l      = require "lpeg"
local syslog = require "lpeg.syslog"

local function match(template, line)
    return syslog.build_rsyslog_grammar(template):match(line)
end

local function this_year(month_and_day, clock)
    return require "lpeg.date_time".rfc3164_timestamp_ns:match(month_and_day .. " " .. clock)
end

local forward = "<%PRI%>%TIMESTAMP:::date-rfc3339% %HOSTNAME% %syslogtag:1:32%%msg:::sp-if-no-1st-sp%%msg%"
local at = 1773267255e9
same(match(forward, "<34>2026-03-11T22:14:15Z web1 sshd[42]: hello\nworld\n"),
    { pri = { facility = 4, severity = 2 }, timestamp = at, hostname = "web1",
      syslogtag = { programname = "sshd", pid = 42 }, msg = "hello\nworld" })
same(match(forward, "<0>2026-03-11T22:14:15Z h kernel:    x").syslogtag, { programname = "kernel" })
same(match(forward, "<0>2026-03-11T22:14:15Z h app[a-b]: x").syslogtag, { programname = "app", procid = "a-b" })
same(match(forward, "<0>2026-03-11T22:14:15Z h   no tag").syslogtag, { programname = "" })
same(match(forward, "<1234>2026-03-11T22:14:15Z h a: x"), nil)
same(match(forward, "<34>2026-13-11T22:14:15Z h a: x"), nil)
same(match(forward, ""), nil)
same(match("%TIMESTAMP% %HOSTNAME% %syslogtag%%msg:::sp-if-no-1st-sp%%msg:::drop-last-lf%\\n", "Mar 11 22:14:15 h cron: x\n"),
    { timestamp = this_year("Mar 11", "22:14:15"), hostname = "h", syslogtag = { programname = "cron" }, msg = "x" })
same(match("%msg%\n", "without a line end"), { msg = "without a line end" })
same(match("%programname%: %msg% (%hostname%)", "a: b: c (d (h)"), nil)
same(match("%msg%|%hostname%", "a b|h"), { msg = "a b", hostname = "h" })
same(match("%msg%||%hostname%", "a|b||h"), { msg = "a|b", hostname = "h" })

local times = {
    { "date-rfc3339", "2026-03-11T22:14:15.5+01:00", 1773263655.5e9 }, { "date-mysql", "20260311221415", at },
    { "date-pgsql", "2026-03-11 22:14:15", at }, { "date-unixtimestamp", "1773267255", at },
    { "date-subseconds", "250", 250 }, { "DATE-RFC3339,lowercase", "2026-03-11T22:14:15Z", at },
    { "date-rfc3164", "Mar 11 22:14:15", this_year("Mar 11", "22:14:15") },
    { "unknown", "Mar  1 22:14:15", this_year("Mar 1", "22:14:15") },
}
for _, case in ipairs(times) do
    same(match("%TIMEGENERATED:::" .. case[1] .. "%", case[2]), { timegenerated = case[3] }, case[1])
    same(match("%timereported:::" .. case[1] .. "%", case[2]), { timestamp = case[3] }, case[1])
end

local properties = {
    { "%pri-text%", "auth.info<38>", { ["pri-text"] = 4 } },
    { "%syslogfacility% %syslogfacility-text%", "10 authpriv", { syslogfacility = 10, ["syslogfacility-text"] = 10 } },
    { "%syslogseverity% %syslogpriority-text%", "4 WARNING", { syslogseverity = 4, ["syslogpriority-text"] = 4 } },
    { "%fromhost-ip% %source%", "::1 h", { ["fromhost-ip"] = "::1", source = "h" } },
    { "%app-name% %procid% %msgid%", "a - -", { ["app-name"] = "a", procid = "-", msgid = "-" } },
    { "%$now% %$year%-%$month%-%$day% %$hour%:%$minute% %$hhour% %$qhour%", "2026-03-11 2026-03-11 22:14 00 01",
      { ["$now"] = "2026-03-11", ["$year"] = "2026", ["$month"] = "03", ["$day"] = "11", ["$hour"] = "22",
        ["$minute"] = "14", ["$hhour"] = "00", ["$qhour"] = "01" } },
    { "%protocol-version% %$bom%%rawmsg%", "1 \239\187\191raw", { ["protocol-version"] = "1", ["$bom"] = "\239\187\191", rawmsg = "raw" } },
    { "\\x\\65\\t%iut%%%", "\\xA\t1%%", { iut = "1" } },
    { "%structured-data%", "-", { ["structured-data"] = {} } },
    { "%structured-data%", "[a@1 x=\"1\" y=\"q\\\"\\]\\\\\\n\"][b@2][c z=\"\"]",
      { ["structured-data"] = { id = "a@1", _x = "1", _y = "q\"]\\\\n", [1] = { id = "b@2" }, [2] = { id = "c", _z = "" } } } },
    { "%structured-data%", "[a x=\"open]", nil },
}
for _, case in ipairs(properties) do same(match(case[1], case[2]), case[3], case[1] .. " / " .. case[2]) end

local function fails(text, ...)
    local ok, err = pcall(syslog.build_rsyslog_grammar, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
fails("invalid rsyslog property: 'nope'", "%NOPE%")
fails("could not parse the rsyslog template", "")
fails("bad argument", nil)

same(syslog.severity:match("warning"), 4)
same(syslog.severity:match("ERR"), 3)
same(syslog.severity:match("loud"), nil)
same(syslog.facility:match("authpriv"), 10)
same(syslog.facility:match("auth"), 4)
same(syslog.facility:match("LOCAL7"), 23)
same(syslog.integer:match("-12x"), -12)
same(syslog.float:match("1.5"), 1.5)
same(syslog.float:match("1"), nil)
same(syslog.notspace:match("ab c"), 3)
same(syslog.commonmac:match("00:1B:c4:00:00:0f"), 18)
same(syslog.commonmac:match("00:1B:c4:00:00"), nil)
same(l.Ct(syslog.capture_until("a", " by ") * l.C(" by")):match("ann by bob"), { a = "ann", " by" })
same(l.Ct(syslog.capture_followed_by("a", l.P" by " + -1) * l.C(l.P(1)^0)):match("ann by bob"), { a = "ann", "bob" })
assert(not pcall(syslog.capture_until, "a", nil))

-- Tables are not shared between lines.
local grammar = syslog.build_rsyslog_grammar("<%pri%>")
grammar:match("<34>").pri.severity = 99
same(grammar:match("<34>"), { pri = { facility = 4, severity = 2 } })

same(#match(forward, "<34>2026-03-11T22:14:15Z h a: " .. string.rep("x\n", 500000)).msg, 999999)
same(match(forward, "<34>2026-03-11T22:14:15Z " .. string.rep("h", 1000000)), nil)
same(match(forward, string.rep("\0", 1000000)), nil)
same(match("%structured-data%", "[" .. string.rep("a ", 500000)), nil)
