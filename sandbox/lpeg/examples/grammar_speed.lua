-- Times matches; runs in a sandbox and under any Lua 5.1 with LPeg. Prints the name of each case and nanoseconds for a match.
local l = require "lpeg"
local string, os = require "string", require "os"
l.locale(l)

local ROUNDS, MATCHES = 5, 20000

local function run(name, grammar, subject)
    for _ = 1, MATCHES / 10 do assert(grammar:match(subject), name) end
    local best
    for _ = 1, ROUNDS do
        local before = os.clock()
        for _ = 1, MATCHES do grammar:match(subject) end
        local time = os.clock() - before
        if not best or time < best then best = time end
    end
    print(string.format("%s %.0f", name, best / MATCHES * 1e9))
end

local integer = l.digit ^ 1 / tonumber
local quoted  = (1 - l.P '"') ^ 0
local absent  = l.P "-" * #l.S ' "'

local function field(patt, representation)
    return l.Ct(l.Cg(patt, "value") * l.Cg(l.Cc(representation), "representation"))
end

-- nginx's combined format, by a grammar as they are put together from a log_format.
do
    local octet = l.P "25" * l.R "05" + l.P "2" * l.R "04" * l.digit + l.P "1" * l.digit * l.digit + l.digit ^ -2 * l.digit
    local v4    = l.C(l.digit ^ 1 * "." * l.digit ^ 1 * "." * l.digit ^ 1 * "." * l.digit ^ 1) * #-octet
    local v6    = l.C((l.xdigit ^ 1 + ":") ^ 2)
    local host  = field(v4, "ipv4") + field(v6, "ipv6") + field((l.alnum + l.S "-._~%") ^ 1, "hostname")
    local month = l.Cg((l.P "Jan" / "1" + l.P "Feb" / "2" + l.P "Mar" / "3" + l.P "Apr" / "4" + l.P "May" / "5"
        + l.P "Jun" / "6" + l.P "Jul" / "7" + l.P "Aug" / "8" + l.P "Sep" / "9" + l.P "Oct" / "10" + l.P "Nov" / "11"
        + l.P "Dec" / "12"), "month")
    local two   = l.digit * l.digit
    local time  = l.Ct(l.Cg(two, "day") * "/" * month * "/" * l.Cg(two * two, "year") * ":" * l.Cg(two, "hour") * ":"
        * l.Cg(two, "min") * ":" * l.Cg(two, "sec") * " " * l.Cg(l.S "+-", "offset_sign") * l.Cg(two, "offset_hour")
        * l.Cg(two, "offset_min")) / function(t) return (t.hour * 60 + t.min) * 60 + t.sec end
    local grammar = l.Ct(l.Cg(host, "remote_addr") * " - " * (absent + l.Cg((1 - l.P " ") ^ 1, "remote_user"))
        * " [" * l.Cg(time, "time") * '] "' * l.Cg(quoted, "request") * '" ' * l.Cg(integer, "status") * " "
        * l.Cg(field(integer, "B"), "body_bytes_sent") * ' "' * (absent + l.Cg(quoted, "http_referer")) * '" "'
        * l.Cg(quoted, "http_user_agent") * '"' * -1)
    run("nginx_combined", grammar, '127.0.0.1 - - [10/Feb/2014:08:46:41 -0800] "GET /index.html HTTP/1.1" 304 0 "-" '
        .. '"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:26.0) Gecko/20100101 Firefox/26.0"')
end

do
    local word    = l.C((1 - l.space) ^ 1)
    local month   = l.P "Jan" + "Feb" + "Mar" + "Apr" + "May" + "Jun" + "Jul" + "Aug" + "Sep" + "Oct" + "Nov" + "Dec"
    local two     = l.digit * l.digit
    local stamp   = l.C(month * l.S " " ^ 1 * l.digit ^ 1 * " " * two * ":" * two * ":" * two)
    local program = l.Ct(l.Cg((1 - l.S "[: ") ^ 1, "name") * (l.P "[" * l.Cg(integer, "pid") * "]") ^ -1)
    local grammar = l.Ct(("<" * l.Cg(integer, "pri") * ">") ^ -1 * l.Cg(stamp, "timestamp") * " " * l.Cg(word, "hostname")
        * " " * l.Cg(program, "program") * ": " * l.Cg(l.P(1) ^ 0, "msg"))
    run("syslog", grammar, "<38>Feb 10 08:46:41 host1 sshd[1234]: Accepted publickey for foo from 10.1.2.3 port 4242 ssh2")
end

do
    local S       = l.S " \t\r\n" ^ 0
    local text    = '"' * l.C((1 - l.S '"\\' + "\\" * l.P(1)) ^ 0) * '"'
    local number  = l.C(l.P "-" ^ -1 * l.digit ^ 1 * ("." * l.digit ^ 1) ^ -1) / tonumber
    local member  = l.Cg(text * S * ":" * S * l.V "value") * S
    local grammar = l.P {
        S * l.V "value" * S * -1,
        value  = l.V "object" + l.V "array" + text + number + l.P "true" * l.Cc(true) + l.P "false" * l.Cc(false),
        object = l.Cf(l.Ct "" * "{" * S * (member * ("," * S * member) ^ 0) ^ -1 * "}", rawset),
        array  = l.Ct("[" * S * (l.V "value" * S * ("," * S * l.V "value" * S) ^ 0) ^ -1 * "]"),
    }
    run("json", grammar, '{"a": [1, 2, 3.5, {"b": "c", "d": [true, false]}], "name": "some value", "list": ["x", "y", "z"]}')
end

do
    local sum = l.P {
        "sum",
        sum     = l.V "product" * (l.S "+-" * l.V "product") ^ 0,
        product = l.V "atom" * (l.S "*/" * l.V "atom") ^ 0,
        atom    = l.digit ^ 1 + "(" * l.V "sum" * ")",
    }
    run("sums", sum * -1, string.rep("1+2*(3-4)/5*(6+7*(8-9))+", 10) .. "1")
end

local word = (1 - l.P " ") ^ 1
run("words", l.Ct((l.C(word) * " ") ^ 0 * l.C(word)), string.rep("hello world ", 20) .. "end")
run("search", l.P { "needle" + 1 * l.V(1) }, string.rep("hay ", 100) .. "needle")
run("substitute", l.Cs((l.S "<>&" / { ["<"] = "&lt;", [">"] = "&gt;", ["&"] = "&amp;" } + 1) ^ 0),
    string.rep("a < b & c; ", 20))
