-- Log formats of nginx and Apache.
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

local clf = require "lpeg.common_log_format"

local function ip4(value) return { value = value, representation = "ipv4" } end
local function bytes(value) return { value = value, representation = "B" } end

local combined = {
    remote_addr = ip4"192.0.2.1", remote_user = "ann", time = 1773267255e9, request = "GET /a?b=\\x22 HTTP/1.1",
    status = 200, body_bytes_sent = bytes(5120), http_referer = "https://example.com/", http_user_agent = "Mozilla/5.0 (X11)",
}
local line = '192.0.2.1 - ann [11/Mar/2026:22:14:15 +0000] "GET /a?b=\\x22 HTTP/1.1" 200 5120 "https://example.com/" "Mozilla/5.0 (X11)"'
local nginx = clf.build_nginx_grammar(
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"')
same(nginx:match(line), combined)
same(nginx:match(line .. ' 0.123 "more"'), combined, "a line may be longer than the format")
same(nginx:match((string.gsub(line, " %- ", "  -\t"))), combined, "any white space")
same(clf.build_apache_grammar('%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"'):match(line), {
    remote_addr = ip4"192.0.2.1", remote_user = "ann", time = 1773267255e9, request = "GET /a?b=\\x22 HTTP/1.1",
    status = 200, response_length = bytes(5120), http_referer = "https://example.com/", http_user_agent = "Mozilla/5.0 (X11)",
})

local cases = {
    { "$status", "404", { status = 404 } },
    { "$status", "40", nil },
    { "${status}x$pid", "404x7", { status = 404, pid = 7 } },
    { '"$http_x" "$http_y"', '"a \\" b" ""', { http_x = 'a \\" b', http_y = "" } },
    { '"$http_x"', '"a\\\\b"', { http_x = "a\\\\b" } },
    { '"$http_x" $status', '"ends with \\\\" 200', { http_x = "ends with \\\\", status = 200 } },
    { '"$http_x"', '"open', nil },
    { "[$http_x] $http_y", "[a b] c d", { http_x = "a b", http_y = "c" } },
    { "a=$arg_a b=$arg_b", "a=1 b=2=3", { arg_a = "1", arg_b = "2" } },
    { "$arg_a|$arg_b|$request", "x y|z|GET / HTTP", { arg_a = "x y", arg_b = "z", request = "GET / HTTP" } },
    { "$arg_a<>$arg_b", "x<y<>z", { arg_a = "x<y", arg_b = "z" } },
    { "$host", "Example.COM", { host = { value = "Example.COM", representation = "hostname" } } },
    { "$host $server_port", "10.0.0.1.example 443", { host = { value = "10.0.0.1.example", representation = "hostname" }, server_port = 443 } },
    { "$remote_addr", "2001:db8::1", { remote_addr = { value = "2001:db8::1", representation = "ipv6" } } },
    { "$msec $request_time", "1773267255.125 0.250", { time = 1773267255125e6, request_time = { value = 0.25, representation = "s" } } },
    { "$time_iso8601", "2026-03-11T22:14:15+00:00", { time = 1773267255e9 } },
    { "$scheme://$host", "https://h", { scheme = "https", host = { value = "h", representation = "hostname" } } },
    { "$pipe $request_method $server_protocol", "p GET HTTP/2.0", { pipe = "p", request_method = "GET", server_protocol = "HTTP/2.0" } },
    { "$server_protocol", "HTTP/2", { server_protocol = "HTTP/2" } },
    { "$https$is_args", "on?", { https = "on", is_args = "?" } },
    { "$upstream_addr $upstream_status", "10.0.0.1:80, unix:/s : 10.0.0.2:81 502, 504 : 200",
      { upstream_addr = { "10.0.0.1:80", "unix:/s", "10.0.0.2:81" }, upstream_status = { 502, 504, 200 } } },
    { "$upstream_response_time $upstream_response_length", "0.5, - : 1.25 0, - : 7",
      { upstream_response_time = { value = { 0.5, 0, 1.25 }, representation = "s" },
        upstream_response_length = { value = { 0, 0, 7 }, representation = "B" } } },
    { "$upstream_response_length $upstream_status", "- -", { upstream_response_length = "-", upstream_status = { 0 } } },
    { "$upstream_cache_status $upstream_cache_last_modified", "HIT Wed, 11 Mar 2026 22:14:15 GMT",
      { upstream_cache_status = "HIT", upstream_cache_last_modified = 1773267255e9 } },
    { "$binary_remote_addr", "\0\1\2\3", { binary_remote_addr = "\0\1\2\3" } },
}
for _, case in ipairs(cases) do same(clf.build_nginx_grammar(case[1]):match(case[2]), case[3], case[1]) end

local apache = {
    { "%v:%p %P", "www.example.com:443 99", { server_name = { value = "www.example.com", representation = "hostname" }, server_port = 443, pid = 99 } },
    { "%b %B", "- 7", { body_bytes_sent = bytes(7) } },
    { "%b", "-", { body_bytes_sent = bytes(0) } },
    { "%D %T", "1500 2", { request_time = { value = 2, representation = "s" } } },
    { "%{ms}T", "12", { request_time = { value = 12, representation = "ms" } } },
    { "%<s %!200,304{X-Y}i", "200 a", { status = 200, http_x_y = "a" } },
    { "%{begin:%Y-%m-%d %T}t", "2026-03-11 22:14:15", { time = 1773267255e9 } },
    { "%{end:msec}t %{usec_frac}t", "1773267255125 000250", { time = 1773267255125e6, sec_frac = 0.00025 } },
    { "%{hextid}P", "ff", { tid = 255 } },
    { "%{SSL_PROTOCOL}x %{Set-Cookie}o %{A}C %{B}e %{C}n", "t o a b c",
      { ssl_protocol = "t", sent_http_set_cookie = "o", cookie_A = "a", env_B = "b", module_C = "c" } },
    { "%%\\t%X", "%\t-", { connection_status = "-" } },
    { "a\\x%m", "a\\xGET", { request_method = "GET" } },
}
for _, case in ipairs(apache) do same(clf.build_apache_grammar(case[1]):match(case[2]), case[3], case[1]) end

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
fails("could not parse the log_format configuration", clf.build_nginx_grammar, "")
fails("could not parse the log_format configuration", clf.build_apache_grammar, "")
fails("bad argument", clf.build_nginx_grammar, nil)
fails("bad argument", clf.build_apache_grammar, {})
fails("unknown variable: Z", clf.build_apache_grammar, "%Z")
fails("unknown variable: s", clf.build_apache_grammar, "%{x}s")
fails("unknown port format: x", clf.build_apache_grammar, "%{x}p")
fails("unknown pid format: x", clf.build_apache_grammar, "%{x}P")
fails("unknown time format: x", clf.build_apache_grammar, "%{x}T")
fails("unknown strftime specifier: E", clf.build_apache_grammar, "%{%E}t")

same(clf.nginx_error_grammar:match('2026/03/11 22:14:15 [crit] 12#34: *56 open() "/x" failed (2: No such file)'),
    { time = 1773267255e9, severity = 2, pid = 12, tid = 34, connection = 56, msg = 'open() "/x" failed (2: No such file)' })
same(clf.nginx_error_grammar:match("2026/03/11 22:14:15 [info] 1#0: \0"), { time = 1773267255e9, severity = 6, pid = 1, tid = 0, msg = "\0" })
same(clf.nginx_error_grammar:match("2026/03/11 22:14:15 [loud] 1#0: x"), nil)

local agents = {
    { "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36", "Chrome", 120, "Windows 10" },
    { "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0", "Firefox", 115, "Linux" },
    { "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1", "Safari", 604, "iPhone" },
    { "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "MSIE", 11, "Windows 7" },
    { "Firefox-iOS-Sync/2.3b1 (iPhone)", "FxSync", 2, "iOS" },
    { "Chrome/x", "Chrome", nil, nil },
    { "curl/8.0", nil, nil, nil },
    { "", nil, nil, nil },
}
for round = 1, 2 do
    for _, agent in ipairs(agents) do
        same({ clf.normalize_user_agent(agent[1]) }, { agent[2], agent[3], agent[4] }, agent[1])
    end
end
same({ clf.normalize_user_agent(nil) }, {})
for i = 1, 1000 do same({ clf.normalize_user_agent("Firefox/" .. i) }, { "Firefox", i }, i) end
same({ clf.normalize_user_agent(string.rep("/", 100000) .. "Opera") }, { "Opera" })

same(#nginx:match(string.gsub(line, "Mozilla", string.rep("x", 1000000)) .. "").http_user_agent, 1000010)
same(nginx:match(string.rep('"', 1000000)), nil)
same(nginx:match(string.rep("\0", 1000000)), nil)
same(nginx:match(string.sub(line, 1, -2)), nil, "cut")
