-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Telemetry producer: posts made-up but lifelike submissions to an HTTP edge

For demonstrations, for load and for trying a platform: main, crash and event pings and page visits of a crowd of clients,
gzipped, over real HTTP connections that stay open. Some are broken, as real ones are, and some are sent twice. Every so often a
fault comes: for a while many main pings are broken and crashes are frequent, as after a bad release; a monitor
should notice.

A submission that the edge did not take is sent again at the next tick, the same bytes under the same URI, as a good client does.

Every tick that posted something injects a message of Type `producer.statistics` with the counts since the start: `posted` (answered with
200), of them `good`, `broken` and `duplicate`, then `failed` (attempts without 200), `bytes` (bodies as sent) and `fault` (whether one
is on).

## Sample configuration

```lua
filename        = "telemetry_producer.lua"
ticker_interval = 1                    -- seconds between two rounds
instruction_limit = 0                  -- a round waits for its answers
address         = "127.0.0.1"
port            = 8080
-- host           = "incoming.telemetry.example" -- what the Host header says
-- prefix         = "/submit/"
-- rate           = 20                 -- submissions a second
-- clients        = 500                -- distinct clients
-- histograms     = 140                -- of a main ping: 140 make about 30 KB of JSON
-- broken         = 0.02               -- share that is broken
-- duplicate      = 0.01               -- share that is sent once more
-- fault_interval = 600                -- seconds from the start of one fault to that of the next; 0 for none
-- fault_after    = 600                -- seconds from the start to the first fault; fault_interval if not given
-- fault_duration = 120                -- seconds
-- fault_broken   = 0.5                -- share of main pings that is broken meanwhile
-- seed           = 1                  -- the same seed gives the same crowd
-- submissions_max = 0                 -- ends after so many; 0 for never
```
--]]

require "io"
require "math"
require "os"
require "string"
require "table"
local cjson  = require "cjson"
local socket = require "socket"
local zlib   = require "zlib"

local address        = read_config("address") or "127.0.0.1"
local port           = read_config("port") or 8080
local host           = read_config("host") or "incoming.telemetry.example"
local prefix         = read_config("prefix") or "/submit/"
local rate           = read_config("rate") or 20
local n_clients      = read_config("clients") or 500
local n_histograms   = read_config("histograms") or 140
local broken         = read_config("broken") or 0.02
local duplicate      = read_config("duplicate") or 0.01
local fault_interval = read_config("fault_interval") or 600
local fault_after    = read_config("fault_after") or fault_interval
local fault_duration = read_config("fault_duration") or 120
local fault_broken   = read_config("fault_broken") or 0.5
local seed           = read_config("seed") or 1
local most           = read_config("submissions_max") or 0
local interval       = read_config("ticker_interval") or 1
assert(rate > 0, "rate must be above 0")
assert(n_clients >= 1, "clients must be at least 1")

-- Most submissions of one round, however long the last one was ago.
local ROUND_MAX  = 10000
local GZIP       = 31 -- window bits
local TIMEOUT    = 15 -- seconds that an answer may take
local CHANNELS   = { "release", "release", "release", "release", "release", "beta", "beta", "nightly", "esr", "aurora" }
local SYSTEMS    = {
    { "Windows_NT", "10.0" }, { "Windows_NT", "10.0" }, { "Windows_NT", "6.1" },
    { "Darwin", "24.1.0" }, { "Linux", "6.12" },
}
local LOCALES    = { "en-US", "de", "fr", "es-ES", "pl", "ja", "pt-BR", "it", "ru", "zh-CN" }
local REASONS    = { "daily", "shutdown", "environment-change", "aborted-session" }
local PAGES      = { "/", "/find", "/downloads", "/help", "/news" }
local ADDRESSES  = { "192.0.2.%d", "198.51.100.%d", "203.0.113.%d" } -- for documentation, so nobody's
local VERSION    = "145.0"
local BUILD      = "20261120093000"
local WORDS      = {
    "HTTP", "CACHE", "DNS", "TLS", "GC", "PAINT", "INPUT", "SESSION", "PLACES", "STORAGE", "WORKER", "IMAGE", "FONT", "MEDIA",
}
local MEASURES   = { "LOOKUP_MS", "COUNT", "SIZE_KB", "WAIT_MS", "DURATION_MS", "ERRORS", "QUEUE_LENGTH", "MISSES", "HITS", "AGE" }

math.randomseed(seed)
local random = math.random

local function pick(list) return list[random(#list)] end

local function hex(n)
    local digits = {}
    for i = 1, n do digits[i] = string.format("%x", random(0, 15)) end
    return table.concat(digits)
end

local function uuid()
    return string.format("%s-%s-4%s-%x%s-%s", hex(8), hex(4), hex(3), random(8, 11), hex(3), hex(12))
end

local function date(time, fraction)
    return string.format("%s.%03dZ", os.date("!%Y-%m-%dT%H:%M:%S", time), fraction)
end

local crowd = {}

-- A client is made when it is first seen, and stays who it is.
local function client()
    local i = random(n_clients)
    local one = crowd[i]
    if not one then
        local system = pick(SYSTEMS)
        one = {
            id = uuid(), session = uuid(), channel = pick(CHANNELS), locale = pick(LOCALES), os = system[1], os_version = system[2],
            memory = 2 ^ random(12, 16) / 4, profile_day = random(17000, 20000), subsession = 0, experiment = random(4) == 1,
            address = string.format(pick(ADDRESSES), random(1, 254)),
        }
        crowd[i] = one
    end
    return one
end

local function application(who)
    return {
        architecture = "x86-64", buildId = BUILD, channel = who.channel, name = "Firefox", displayVersion = VERSION,
        platformVersion = VERSION, vendor = "Mozilla", version = VERSION, xpcomAbi = "x86_64-gcc3",
    }
end

local function environment(who)
    local made = {
        addons = { activeAddons = {}, theme = { id = "default" } },
        build = { architecture = "x86-64", buildId = BUILD, version = VERSION },
        partner = { distributionId = cjson.null },
        profile = { creationDate = who.profile_day },
        settings = { locale = who.locale, telemetryEnabled = true },
        system = { memoryMB = who.memory, os = { name = who.os, version = who.os_version } },
    }
    if who.experiment then made.experiments = { colours = { branch = #who.id % 2 == 0 and "blue" or "red" } } end
    return made
end

-- Exponential buckets of which some are hit, as most histograms look.
local function histogram()
    local values, sum, bucket, bucket_count = {}, 0, 1, 10 * random(1, 5)
    values["0"] = random(0, 3)
    for _ = 1, random(2, 9) do
        local hits = random(1, 40)
        values[tostring(bucket)] = hits
        sum = sum + bucket * hits
        bucket = math.ceil(bucket * (1.3 + random()))
    end
    return { bucket_count = bucket_count, histogram_type = 0, range = { 1, 10000 }, sum = sum, values = values }
end

local function histograms(n)
    local made = {}
    for i = 0, n - 1 do
        local word, measure = WORDS[i % #WORDS + 1], MEASURES[math.floor(i / #WORDS) % #MEASURES + 1]
        local round = math.floor(i / (#WORDS * #MEASURES))
        made[round == 0 and word .. "_" .. measure or string.format("%s_%s_%d", word, measure, round)] = histogram()
    end
    return made
end

local function ping(who, kind, payload)
    return {
        type = kind, id = uuid(), version = 4, creationDate = date(os.time() - random(0, 300), random(0, 999)), clientId = who.id,
        application = application(who), environment = environment(who), payload = payload,
    }
end

local make = {}

function make.main(who)
    who.subsession = who.subsession + 1
    local length = random(10, 7200)
    return ping(who, "main", {
        info = {
            reason = pick(REASONS), sessionId = who.session, sessionLength = length * who.subsession,
            subsessionCounter = who.subsession, subsessionId = uuid(), subsessionLength = length,
            subsessionStartDate = date(os.time() - length, 0), timezoneOffset = 60 * random(-8, 9),
        },
        histograms = histograms(n_histograms),
        keyedHistograms = { SEARCH_COUNTS = { ["engine.urlbar"] = histogram(), ["engine.searchbar"] = histogram() } },
        simpleMeasurements = { uptime = math.ceil(length / 60), totalTime = length, activeTicks = math.floor(length / 7) },
        processes = {
            parent = {
                scalars = { ["browser.engagement.total_uri_count"] = random(0, 400), ["browser.engagement.tab_open_event_count"] = random(0, 50) },
                keyedScalars = { ["browser.search.counts"] = { engine = random(0, 20) } },
            },
            content = { histograms = histograms(math.floor(n_histograms / 10)) },
        },
    })
end

function make.crash(who)
    return ping(who, "crash", {
        crashDate = os.date("!%Y-%m-%d"), crashId = uuid(), hasCrashEnvironment = true, processType = pick({ "main", "content" }),
        metadata = { StartupCrash = random(10) == 1 and "1" or "0", UptimeTS = random() * 5000 }, sessionId = who.session,
        stackTraces = { status = "OK" }, version = 1,
    })
end

function make.event(who)
    local events = {}
    for i = 1, random(1, 30) do
        events[i] = { i * random(50, 500), "navigation", pick({ "search", "back", "reload" }), pick({ "urlbar", "toolbar" }),
            cjson.null, { engine = "example" } }
    end
    return ping(who, "event", {
        reason = "periodic", processStartTimestamp = (os.time() - 3600) * 1000, sessionId = who.session, lostEventsCount = 0,
        events = { parent = events },
    })
end

local function visit()
    local actions, searched = {}, false
    for i = 1, random(1, 6) do
        actions[i] = pick({ "click", "scroll", "search", "submit" })
        searched = searched or actions[i] == "search"
    end
    return { page = pick(PAGES), seconds = random(1, 600), referrer = searched and "/" or nil, actions = actions }
end

local function gzip(text) return (zlib.deflate(6, GZIP)(text, "finish")) end

-- Ways in which real submissions are broken. Each takes the document and its JSON and gives the body.
local BREAK = {
    function(doc) doc.clientId, doc.page = nil, nil return gzip(cjson.encode(doc)) end,           -- something is missing
    function(doc) doc.application, doc.seconds = "none", "long" return gzip(cjson.encode(doc)) end, -- of a wrong type
    function(_, json) return gzip(string.sub(json, 1, math.floor(#json / 2))) end,                -- cut by the client
    function(_, json) local body = gzip(json) return string.sub(body, 1, #body - 20) end,         -- cut on the way
    function() return "\31\139\8\0 no deflate stream" end,
}

local function kind_of(is_fault)
    local dice = random(100)
    if dice <= 60 then return "main" end
    if dice <= 75 then return "event" end
    if dice <= (is_fault and 95 or 78) then return "crash" end
    return "visit"
end

-- Makes a submission: its path, its body, and whether it is broken.
local function submission(is_fault)
    local who, kind = client(), kind_of(is_fault)
    local doc, path
    if kind == "visit" then
        doc, path = visit(), string.format("%sweb/visit/1/%s", prefix, uuid())
    else
        doc = make[kind](who)
        path = string.format("%stelemetry/%s/%s/Firefox/%s/%s/%s?v=4", prefix, doc.id, kind, VERSION, who.channel, BUILD)
    end
    local share = is_fault and kind == "main" and fault_broken or broken
    local json = cjson.encode(doc)
    local is_broken = random() < share
    local body = is_broken and pick(BREAK)(doc, json) or gzip(json)
    return { path = path, body = body, broken = is_broken, address = who.address }
end

local connection

local function hang_up()
    if connection then connection:close() end
    connection = nil
end

local function connect()
    local made, err = socket.tcp()
    if not made then return nil, err end
    made:settimeout(TIMEOUT)
    local ok
    ok, err = made:connect(address, port)
    if not ok then
        made:close()
        return nil, err
    end
    made:setoption("tcp-nodelay", true)
    connection = made
    return made
end

-- Reads an answer whole, so that the connection can carry the next request; its status.
local function receive_answer(conn)
    local line, err = conn:receive("*l")
    if not line then return nil, err end
    local status = tonumber(string.match(line, "^HTTP/1%.1 (%d%d%d)"))
    if not status then return nil, "no HTTP answer: " .. string.sub(line, 1, 60) end
    local length, close = 0, false
    repeat
        line, err = conn:receive("*l")
        if not line then return nil, err end
        local name, value = string.match(line, "^([^:]+):%s*(.-)%s*$")
        name = name and string.lower(name)
        if name == "content-length" then length = tonumber(value) or 0 end
        if name == "connection" and string.lower(value) == "close" then close = true end
    until line == ""
    if length > 0 then
        local body
        body, err = conn:receive(length)
        if not body then return nil, err end
    end
    if close then hang_up() end
    return status
end

-- Posts over the open connection; nil and an error where no answer came.
local function post(one)
    local conn, err = connection, nil
    if not conn then conn, err = connect() end
    if not conn then return nil, err end
    local head = string.format(
        "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n" ..
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0\r\n" ..
        "Date: %s\r\nX-Forwarded-For: %s\r\nContent-Length: %d\r\n\r\n",
        one.path, host, os.date("!%a, %d %b %Y %H:%M:%S GMT"), one.address, #one.body)
    local sent
    sent, err = conn:send(head .. one.body)
    local status
    if sent then status, err = receive_answer(conn) end
    if not status then hang_up() end
    return status, err
end

local counts  = { posted = 0, good = 0, broken = 0, duplicate = 0, failed = 0, bytes = 0, fault = false }
local report  = { Type = "producer.statistics", Fields = counts }
local began   = os.time()
local last    = began - interval
local waiting -- what the edge has not taken yet

local function is_fault_time(now)
    -- Before the first fault there is time for what is usual, so that there is something to compare with.
    local since = now - began - fault_after
    return fault_interval > 0 and since >= 0 and since % fault_interval < fault_duration
end

local function count(one, again)
    counts.posted = counts.posted + 1
    counts.bytes = counts.bytes + #one.body
    local what = again and "duplicate" or one.broken and "broken" or "good"
    counts[what] = counts[what] + 1
end

-- Posts one that waits or a new one; nil and an error when the edge did not take it.
local function post_next()
    local one = waiting or submission(counts.fault)
    local again = one.again
    local status, err = post(one)
    if status ~= 200 then
        waiting = one
        counts.failed = counts.failed + 1
        return nil, err or "the edge answered " .. status
    end
    count(one, again)
    waiting = nil
    if not again and random() < duplicate then
        waiting = { path = one.path, body = one.body, broken = one.broken, address = one.address, again = true }
    end
    return true
end

local function round(n)
    for _ = 1, n do
        if not is_running() or most > 0 and counts.posted >= most then return nil end
        local ok, err = post_next()
        if not ok then return err end
    end
end

function process_message()
    local now = os.time()
    counts.fault = is_fault_time(now)
    local n = math.min(ROUND_MAX, math.max(1, math.floor(rate * (now - last) + 0.5)))
    last = now
    local before = counts.posted
    local err = round(n)
    if counts.posted > before then inject_message(report) end
    if err then return -1, string.format("%s:%d: %s", address, port, err) end
    return 0
end
