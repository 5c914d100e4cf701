-- Times the modules of the library: as an input plugin, or under any Lua 5.1 that is given the folder of the documents and a
-- number of matches. A line `NAME=NANOSECONDS` of processor time for each case whose module is there, the best of some rounds.
local plugin = read_config ~= nil
if plugin then
    require "io"
    require "os"
    require "string"
    require "table"
    require "math"
end
local folder = plugin and read_config("documents") or arg[1]
local BYTES = (plugin and read_config("bytes") or arg[2]) + 0
local ROUNDS = 5

local figures = {}

-- `work(n)` does the same n times; each time works on about `size` bytes, or takes as long as that.
local function case(name, size, work)
    local n = math.max(1, math.floor(BYTES / size))
    local best
    for _ = 1, ROUNDS do
        local before = os.clock()
        work(n)
        local time = os.clock() - before
        if not best or time < best then best = time end
    end
    figures[#figures + 1] = string.format("%s=%.1f", name, best / n * 1e9)
end

local function read(name)
    local file = assert(io.open(folder .. "/" .. name, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end

local function optional(name)
    local found, module = pcall(require, name)
    return found and module
end

local function grammars(l)
    l.locale(l)
    local integer = l.digit ^ 1 / tonumber
    local quoted = (1 - l.P '"') ^ 0
    local absent = l.P "-" * #l.S ' "'
    local function field(patt, representation)
        return l.Ct(l.Cg(patt, "value") * l.Cg(l.Cc(representation), "representation"))
    end
    local octet = l.digit * l.digit ^ -2
    local v4 = l.C(octet * "." * octet * "." * octet * "." * octet) * #-l.digit
    local v6 = l.C((l.xdigit ^ 1 + ":") ^ 2)
    local host = field(v4, "ipv4") + field(v6, "ipv6") + field((l.alnum + l.S "-._~%") ^ 1, "hostname")
    local month = l.Cg((l.P "Jan" / "1" + l.P "Feb" / "2" + l.P "Mar" / "3" + l.P "Apr" / "4" + l.P "May" / "5"
        + l.P "Jun" / "6" + l.P "Jul" / "7" + l.P "Aug" / "8" + l.P "Sep" / "9" + l.P "Oct" / "10" + l.P "Nov" / "11"
        + l.P "Dec" / "12"), "month")
    local two = l.digit * l.digit
    local time = l.Ct(l.Cg(two, "day") * "/" * month * "/" * l.Cg(two * two, "year") * ":" * l.Cg(two, "hour") * ":"
        * l.Cg(two, "min") * ":" * l.Cg(two, "sec") * " " * l.Cg(l.S "+-", "offset_sign") * l.Cg(two, "offset_hour")
        * l.Cg(two, "offset_min")) / function(t) return (t.hour * 60 + t.min) * 60 + t.sec end
    local nginx = l.Ct(l.Cg(host, "remote_addr") * " - " * (absent + l.Cg((1 - l.P " ") ^ 1, "remote_user"))
        * " [" * l.Cg(time, "time") * '] "' * l.Cg(quoted, "request") * '" ' * l.Cg(integer, "status") * " "
        * l.Cg(field(integer, "B"), "body_bytes_sent") * ' "' * (absent + l.Cg(quoted, "http_referer")) * '" "'
        * l.Cg(quoted, "http_user_agent") * '"' * -1)
    local lines = {}
    for line in string.gmatch(read("access-1000.log"), "[^\n]+") do lines[#lines + 1] = line end
    case("nginx line to a table", 200, function(n)
        for i = 1, n do assert(nginx:match(lines[i % #lines + 1])) end
    end)

    local stamp = l.C(l.alpha ^ 3 * l.P " " ^ 1 * l.digit ^ 1 * " " * two * ":" * two * ":" * two)
    local program = l.Ct(l.Cg((1 - l.S "[: ") ^ 1, "name") * (l.P "[" * l.Cg(integer, "pid") * "]") ^ -1)
    local syslog = l.Ct(("<" * l.Cg(integer, "pri") * ">") ^ -1 * l.Cg(stamp, "timestamp") * " "
        * l.Cg((1 - l.space) ^ 1, "hostname") * " " * l.Cg(program, "program") * ": " * l.Cg(l.P(1) ^ 0, "msg"))
    local entry = "<38>Feb 10 08:46:41 host1 sshd[1234]: Accepted publickey for foo from 10.1.2.3 port 4242 ssh2"
    case("syslog line to a table", 200, function(n)
        for _ = 1, n do assert(syslog:match(entry)) end
    end)

    local search, far = l.P {"needle" + 1 * l.V(1)}, string.rep("hay ", 100) .. "needle"
    case("search by grammar", #far, function(n)
        for _ = 1, n do assert(search:match(far)) end
    end)
    local escape = l.Cs((l.S "<>&" / {["<"] = "&lt;", [">"] = "&gt;", ["&"] = "&amp;"} + 1) ^ 0)
    local plain = string.rep("a < b & c; ", 20)
    case("substitution by grammar", #plain, function(n)
        for _ = 1, n do assert(escape:match(plain)) end
    end)
end

local function json(cjson)
    for _, kind in ipairs({"records", "numbers", "texts"}) do
        for _, size in ipairs({1, 100}) do
            local text = read(kind .. "-" .. size .. "000.json")
            local value = cjson.decode(text)
            local what = " " .. size .. " KB of " .. kind
            case("decode" .. what, #text, function(n)
                for _ = 1, n do cjson.decode(text) end
            end)
            case("encode" .. what, #text, function(n)
                for _ = 1, n do cjson.encode(value) end
            end)
        end
    end
end

local SCHEMA = [[{"type":"array","items":{"type":"object","required":["timestamp","hostname","request"],"properties":{
    "timestamp":{"type":"integer","minimum":0},"hostname":{"type":"string","maxLength":64},"severity":{"type":"integer","maximum":7},
    "pid":{"type":"integer"},"request":{"type":"object","required":["method","path"],"properties":{"method":{"enum":["GET","POST"]},
    "path":{"type":"string","pattern":"^/[a-z]+$"},"status":{"type":"integer","minimum":100,"maximum":599},"duration":{"type":"number"}}},
    "user_agent":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}},"ok":{"type":"boolean"},"error":{"type":["null","string"]}},
    "additionalProperties":false}}]]

local function validation(rjson)
    local text = read("records-30000.json")
    local schema, document = rjson.parse_schema(SCHEMA), rjson.parse(text)
    case("rjson.parse 30 KB", #text, function(n)
        for _ = 1, n do rjson.parse(text) end
    end)
    case("validate 30 KB", #text, function(n)
        for _ = 1, n do assert(document:validate(schema)) end
    end)
end

local function structures(circular_buffer, hyperloglog)
    local cb, hll = circular_buffer.new(1440, 3, 60), hyperloglog.new()
    local keys = {}
    for i = 0, 63 do keys[i] = "client " .. i * 7919 end
    case("circular_buffer.add", 20, function(n)
        for i = 1, n do cb:add(i * 1e9, 1, 1) end
    end)
    case("hyperloglog.add", 20, function(n)
        for i = 1, n do hll:add(keys[i % 64]) end
    end)
end

local function run()
    local lpeg, cjson, rjson = optional("lpeg"), optional("cjson"), optional("rjson")
    if lpeg then grammars(lpeg) end
    if cjson then json(cjson) end
    if rjson then validation(rjson) end
    local circular_buffer, hyperloglog = optional("circular_buffer"), optional("hyperloglog")
    if circular_buffer and hyperloglog then structures(circular_buffer, hyperloglog) end
    return table.concat(figures, "\n") .. "\n"
end

if plugin then
    function process_message()
        local file = assert(io.open("figures", "w"))
        file:write(run())
        file:close()
        return 0
    end
else
    io.write(run())
end
