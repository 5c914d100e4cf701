-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Common log format: grammars from the log formats of nginx and Apache

## Functions

`build_nginx_grammar(log_format)` takes the format of nginx's `log_format` directive and makes a grammar whose capture
is a table with a member for each variable:

```lua
log_format = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
```

`build_apache_grammar(log_format)` takes the format of Apache's `LogFormat` directive; members have nginx's names:

```lua
log_format = '%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"'
```

Errors: `could not parse the log_format configuration`, `unknown variable: x`, `unknown port format: x`,
`unknown pid format: x`, `unknown time format: x`.

`normalize_user_agent(text)` returns the browser, its version (a number) and the operating system, each nil if it is
not known. It remembers the last answers.

## Grammars

`nginx_error_grammar` matches a line of nginx's error log; members: `time`, `severity` (0 to 7), `pid`, `tid`,
`connection` if there is one, `msg`.

## Members

| member | value |
|---|---|
| `time` | nanoseconds, from `$time_local`, `$time_iso8601`, `$msec`, `%t`, `%{sec}t`, `%{%d/%b/%Y...}t` |
| `remote_addr`, `server_addr`, `server_name`, `host`, ... | `{ value = "127.0.0.1", representation = "ipv4" }`, or "ipv6", "hostname" |
| `status`, ports, pids, counts | a number |
| `body_bytes_sent`, `request_length`, ... | `{ value = 23, representation = "B" }`; Apache's "-" is 0 |
| `request_time` | `{ value = 0.123, representation = "s" }`; of `%D` "us", of `%{ms}T` "ms" |
| `upstream_addr`, `upstream_status` | an array: one value for each server that was asked |
| `upstream_response_length`, `upstream_response_time` | `{ value = { 1, 2 }, representation = "B" }` |
| `http_NAME`, `sent_http_NAME`, `cookie_NAME`, `env_NAME`, `module_NAME`, all others | the text |

A text ends where the format goes on: at the white space or the literal behind the variable; between quotes `\"` is
part of it. White space in the format matches any white space. A line may be longer than the format.
--]]

local l      = require "lpeg"
local string = require "string"
local dt     = require "lpeg.date_time"
local ip     = require "lpeg.ip_address"

local find, lower, match, gsub, sub = string.find, string.lower, string.match, string.gsub, string.sub
local P, R, S, C, Cc, Cg, Cs, Ct = l.P, l.R, l.S, l.C, l.Cc, l.Cg, l.Cs, l.Ct
local error, ipairs, setmetatable, tonumber = error, ipairs, setmetatable, tonumber

local M = {}
setfenv(1, M)

local white   = S" \t\r\n\v\f"
local digit   = R"09"
local digits  = digit^1
local integer = P"-"^-1 * digits / tonumber
local decimal = digits * ("." * digits)^-1 / tonumber
local none    = P"-" * Cc(0)

local function unit(value, representation)
    return Ct(Cg(value, "value") * Cg(Cc(representation), "representation"))
end

local bytes = unit(integer, "B")

-- Three digits are at most a thousand numbers: they are looked up.
local status = digit * digit * digit / setmetatable({}, { __index = function(known, text)
    known[text] = tonumber(text)
    return known[text]
end })

-- As lpeg.ip_address.host_field, but a name keeps its letters as they are.
local host = (function()
    local alnum = R("09", "az", "AZ")
    local escape = P"%" * R("09", "af", "AF") * R("09", "af", "AF")
    local name = ((alnum + S"-._~!$&'()*+,;=")^1 + escape)^1
    local goes_on = P"."^-1 * alnum
    return unit(ip.v4 * -goes_on, "ipv4") + unit(ip.v6, "ipv6") + unit(name, "hostname")
end)()

-- One value for each server that was asked, of each group of them.
local function list(value)
    return Ct(value * ((P", " + " : ") * value)^0)
end

local NGINX = {
    binary_remote_addr  = P(4),
    body_bytes_sent     = bytes,
    bytes_sent          = bytes,
    connection          = integer,
    connection_requests = integer,
    content_length      = bytes,
    host                = host,
    hostname            = host,
    https               = P"on"^-1,
    is_args             = P"?"^-1,
    msec                = decimal / dt.seconds_to_ns,
    nginx_version       = digits * "." * digits * "." * digits,
    pid                 = integer,
    pipe                = S"p.",
    proxy_protocol_addr = host,
    remote_addr         = host,
    remote_port         = integer,
    request_completion  = P"OK"^-1,
    request_length      = bytes,
    request_method      = (R("09", "az", "AZ") + S"!#$%&'*+-.^_`|~")^1,
    request_time        = unit(decimal, "s"),
    scheme              = P"http" * P"s"^-1,
    server_addr         = host,
    server_name         = host,
    server_port         = integer,
    server_protocol     = P"HTTP/" * digits * ("." * digits)^-1,
    status              = status,
    tcpinfo_rtt         = integer,
    tcpinfo_rttvar      = integer,
    tcpinfo_snd_cwnd    = integer,
    tcpinfo_rcv_space   = integer,
    time_iso8601        = dt.rfc3339_ns,
    time_local          = dt.clf_timestamp_ns,
    upstream_addr                = list(C((1 - S", ")^1)),
    upstream_cache_status        = R"AZ"^1 + "-",
    upstream_cache_last_modified = dt.build_strftime_ns_grammar("%a, %d %b %Y %T GMT") + C"-",
    upstream_response_length     = C"-" * -S", " + C"-" * #white + C"-" * -1 + unit(list(integer + none), "B"),
    upstream_response_time       = unit(list(decimal + none), "s"),
    upstream_status              = list(status + none),
}

-- Members that are not named as the variable.
local NGINX_NAMES = { msec = "time", time_iso8601 = "time", time_local = "time" }

local function member(name, pattern)
    return { name = name, pattern = pattern }
end

local function nginx_variable(name)
    return member(NGINX_NAMES[name] or name, NGINX[name])
end

-- What Apache's directives without an argument write; without a pattern it is a text.
local APACHE = {
    ["%"] = { pattern = P"%" },
    a = member("remote_addr", host),
    A = member("server_addr", host),
    b = member("body_bytes_sent", unit(integer + none, "B")),
    B = member("body_bytes_sent", bytes),
    D = member("request_time", unit(integer, "us")),
    f = member("request_filename"),
    h = member("remote_addr", host),
    H = member("server_protocol", NGINX.server_protocol),
    I = member("request_length", bytes),
    k = member("connection_requests", integer),
    l = member("remote_user"),
    L = member("request_log_id"),
    m = member("request_method", NGINX.request_method),
    O = member("response_length", bytes),
    p = member("server_port", integer),
    P = member("pid", integer),
    q = member("query_string"),
    r = member("request"),
    R = member("request_handler"),
    s = member("status", status),
    S = member("total_length", bytes),
    t = { name = "time", pattern = NGINX.time_local, open = "[", close = "]" },
    T = member("request_time", unit(integer, "s")),
    u = member("remote_user"),
    U = member("uri"),
    v = member("server_name", host),
    V = member("server_name", host),
    X = member("connection_status", S"X+-"),
}

-- Header names as nginx writes them.
local function like_nginx(name)
    return (gsub(lower(name), "-", "_"))
end

local function scaled(factor)
    return member("time", digits / function(text) return text * factor end)
end

local fraction = member("sec_frac", digits / function(text) return tonumber("0." .. text) end)

local TIMES = { sec = scaled(1e9), msec = scaled(1e6), usec = scaled(1e3), msec_frac = fraction, usec_frac = fraction }
local PORTS = { canonical = "server_port", ["local"] = "server_port", remote = "remote_port" }
local PIDS = {
    pid    = member("pid", integer),
    tid    = member("tid", integer),
    hextid = member("tid", R("09", "af", "AF")^1 / function(text) return tonumber(text, 16) end),
}
local UNITS = { s = true, ms = true, us = true }

-- What Apache's directives with an argument write.
local APACHE_ARGUMENT = {
    a = function() return APACHE.a end,
    C = function(name) return member("cookie_" .. name) end,
    e = function(name) return member("env_" .. name) end,
    h = function() return APACHE.h end,
    i = function(name) return member("http_" .. like_nginx(name)) end,
    n = function(name) return member("module_" .. name) end,
    o = function(name) return member("sent_http_" .. like_nginx(name)) end,
    p = function(kind) return member(PORTS[kind] or error("unknown port format: " .. kind, 0), integer) end,
    P = function(kind) return PIDS[kind] or error("unknown pid format: " .. kind, 0) end,
    t = function(format)
        format = gsub(gsub(format, "^begin:", ""), "^end:", "")
        return TIMES[format] or member("time", dt.build_strftime_ns_grammar(format))
    end,
    T = function(scale)
        if not UNITS[scale] then error("unknown time format: " .. scale, 0) end
        return member("request_time", unit(integer, scale))
    end,
    x = function(name) return member(like_nginx(name)) end,
}

local function apache_variable(argument, letter)
    local known
    if argument == "" then
        known = APACHE[letter]
    else
        local make = APACHE_ARGUMENT[letter]
        known = make and make(argument)
    end
    return known or error("unknown variable: " .. letter, 0)
end

-- Items of a format: `{ space = true }`, `{ text = "..." }` and members.
local space_item = white^1 * Cc{ space = true }

local function text_item(text)
    return { text = text }
end

local nginx_items = (function()
    local name = C(R("az", "AZ", "09", "__")^1)
    local variable = P"$" * (name + "{" * name * "}") / nginx_variable
    local text = C((1 - (white + variable))^1) / text_item
    return Ct((space_item + variable + text)^1) * -1
end)()

local apache_items = (function()
    local ESCAPES = { t = "\t", n = "\n", ['"'] = '"', ["\\"] = "\\" }
    local escape = P"\\" / "" * (S'tn"\\' / ESCAPES + digit * digit^-2 / function(code) return string.char(code % 256) end)
    local condition = P"!"^-1 * digit * digit * digit * ("," * digit * digit * digit)^0
    local argument = P"{" * C((1 - P"}")^1) * "}" + Cc""
    local variable = P"%" * (condition + S"<>")^-1 * argument * C(R("az", "AZ") + "%") / apache_variable
    local text = Cs((escape + 1 - (white + variable))^1) / text_item
    return Ct((space_item + variable + text)^1) * -1
end)()

-- All bytes before a text; runs of bytes that cannot begin it are taken at once.
local function before(text)
    local first = P(sub(text, 1, 1))
    if #text == 1 then return (1 - first)^0 end
    return ((1 - first)^1 + (first - P(text)))^0
end

local plain  = (1 - S'"\\')^0
local quoted = plain * (P"\\" * S'"\\'^-1 * plain)^0
local word   = (1 - white)^0

-- The last byte of the text in front, that ends a value where nothing else does; nil for white space.
local function delimiter(item)
    return item and item.text and sub(item.text, -1)
end

-- A text ends at what follows it in the format; where that is no text, at what stands before it.
local function text_between(previous, following)
    local behind, ahead = delimiter(previous), following and following.text
    if behind == '"' and (not ahead or sub(ahead, 1, 1) == '"') then return quoted end
    if following and following.space then return word end
    local stop = ahead or behind
    return stop and before(stop) or word
end

local function item_pattern(items, i)
    local item = items[i]
    if item.space then return white^1 end
    if item.text then return P(item.text) end
    local pattern = item.pattern or text_between(items[i - 1], items[i + 1])
    if item.name then pattern = Cg(pattern, item.name) end
    if item.open then pattern = P(item.open) * pattern * item.close end
    return pattern
end

local function build(parser, format)
    local items = parser:match(format)
    if not items then error("could not parse the log_format configuration", 3) end
    local pattern = P(true)
    for i = 1, #items do pattern = pattern * item_pattern(items, i) end
    return Ct(pattern)
end

function build_nginx_grammar(log_format)
    return build(nginx_items, log_format)
end

function build_apache_grammar(log_format)
    return build(apache_items, log_format)
end

local function level(names)
    local choice = P(false)
    for i, name in ipairs(names) do choice = choice + P(name) * Cc(i - 1) end
    return choice
end

nginx_error_grammar = Ct(
    Cg(dt.build_strftime_ns_grammar("%Y/%m/%d %T"), "time") * " ["
    * Cg(level{ "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug" }, "severity") * "] "
    * Cg(digits / tonumber, "pid") * "#" * Cg(digits / tonumber, "tid") * ": "
    * (P"*" * Cg(digits / tonumber, "connection") * " ")^-1
    * Cg(P(1)^0, "msg"))

-- The first of these texts that a user agent contains names the system.
local SYSTEMS = {
    { "iPod", "iPod" }, { "iPad", "iPad" }, { "iPhone", "iPhone" }, { "Android", "Android" },
    { "BlackBerry", "BlackBerry" }, { "Linux", "Linux" }, { "Macintosh", "Macintosh" },
    { "Mozilla/5.0 (Mobile;", "FirefoxOS" }, { "Windows NT 10.0", "Windows 10" }, { "Windows NT 6.3", "Windows 8.1" },
    { "Windows NT 6.2", "Windows 8" }, { "Windows NT 6.1", "Windows 7" }, { "Windows NT 6.0", "Windows Vista" },
    { "Windows NT 5.1", "Windows XP" }, { "Windows NT 5.0", "Windows 2000" },
}

local function version_after(text)
    local pattern = "^(%d+)"
    return function(agent)
        local _, last = find(agent, text, 1, true)
        return last and tonumber((match(agent, pattern, last + 1)))
    end
end

-- The version of the last product.
local function last_version(agent)
    return tonumber((match(agent, "/(%d+)[^/]*$")))
end

-- The first of these texts names the browser; `name` and `system` if they are not the text and what was found above.
local BROWSERS = {
    { "Edge", version_after("Edge/") },
    { "Chrome", version_after("Chrome/") },
    { "Opera Mini", last_version },
    { "Opera Mobi", last_version },
    { "Opera", last_version },
    { "MSIE", version_after("MSIE ") },
    { "Trident/7.0", function() return 11 end, name = "MSIE" },
    { "Safari", last_version },
    { "Firefox AndroidSync", version_after("Firefox AndroidSync "), name = "FxSync", system = "Android" },
    { "Firefox-iOS-Sync", version_after("Firefox-iOS-Sync/"), name = "FxSync", system = "iOS" },
    { "Firefox", version_after("Firefox/") },
}

local function first_in(agent, candidates)
    for _, candidate in ipairs(candidates) do
        if find(agent, candidate[1], 1, true) then return candidate end
    end
end

-- User agents that are remembered; longer ones are not.
local REMEMBERED_MAX, REMEMBERED_LENGTH_MAX = 256, 512
local remembered, remembered_count = {}, 0

local function recognize(agent)
    local system, browser = first_in(agent, SYSTEMS), first_in(agent, BROWSERS)
    local found = { system = system and system[2] }
    if browser then
        found.name = browser.name or browser[1]
        found.version = browser[2](agent)
        found.system = browser.system or found.system
    end
    return found
end

function normalize_user_agent(agent)
    if not agent then return end
    local found = remembered[agent]
    if not found then
        found = recognize(agent)
        if #agent <= REMEMBERED_LENGTH_MAX then
            if remembered_count >= REMEMBERED_MAX then remembered, remembered_count = {}, 0 end
            remembered[agent] = found
            remembered_count = remembered_count + 1
        end
    end
    return found.name, found.version, found.system
end

return M
