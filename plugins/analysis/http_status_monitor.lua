-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# HTTP status monitor: how requests are answered, and alerts when too many fail

Shows how many requests were answered with each class of status (graph `http_classes`) and each status (table `http_statuses`), and watches
for each key the percentage of client errors (4xx) and of server errors (5xx) in the newest rows (graphs `http_server_errors`,
`http_client_errors`), and the number of requests (`http_requests`).

## Sample configuration

```lua
filename        = "http_status_monitor.lua"
message_matcher = "Type == 'nginx.access'"
ticker_interval = 60
preserve_data   = true
memory_limit    = 32 * 1024 * 1024
output_limit    = 1024 * 1024
-- status_variable = "Fields[status]"      -- a number or its text
-- status_map      = { ok = 200, bad = 400 } -- the status of values that are none
-- key             = { "Hostname" }        -- nothing: all requests together, "all"
-- client_errors   = 20    -- percent from which on there is an alert
-- server_errors   = 2
-- minimum         = 100   -- requests in `window` rows that a percentage needs
-- window          = 5     -- rows
-- sec_per_row     = 60
-- rows            = 1440  -- of the graphs; rows * keys_max is bounded by output_limit
-- keys_max        = 10    -- keys that are watched, the first ones that come
-- refractory      = 21600 -- seconds without another alert of the same key
-- title           = "http"
-- preservation_version = 0
alert = {
    modules = { email = { recipients = { "ops@example.com" } } },
    -- thresholds = { ["*"] = { requests = { { kind = "seasonal" } } } }, -- more checks; see modules/monitor/watch.lua
}
```

## Alerts

The id is `KEY.server_errors`, `KEY.client_errors` or `KEY.inactivity`; the detail lists the most frequent statuses of errors.
--]]

require "circular_buffer"
local key    = require "monitor.key"
local math   = require "math"
local string = require "string"
local table  = require "table"
local watch  = require "monitor.watch"

local variable    = read_config("status_variable") or "Fields[status]"
local map         = read_config("status_map") or {}
local minimum     = read_config("minimum") or 100
local window      = read_config("window") or 5
local sec_per_row = read_config("sec_per_row") or 60

local SERVER, CLIENT, REQUESTS = 1, 2, 3
-- The last column is for what is no status.
local CLASSES, OTHER = { "1xx", "2xx", "3xx", "4xx", "5xx", "other" }, 6
local STATUSES_SHOWN = 5

local floor = math.floor
local read_message, tonumber = read_message, tonumber

statuses = {} -- status -> requests since the start; statuses are 100 to 599, so there are few

local function most_frequent(from, below, n)
    local order = {}
    for status in pairs(statuses) do
        if status >= from and status < below then order[#order + 1] = status end
    end
    table.sort(order, function(a, b) return statuses[a] > statuses[b] or statuses[a] == statuses[b] and a < b end)
    for i = #order, n + 1, -1 do order[i] = nil end
    return order
end

local function explain(_, measure)
    if measure.name == "requests" then return nil end
    local from = measure.name == "server_errors" and 500 or 400
    local parts = most_frequent(from, from + 100, STATUSES_SHOWN)
    for i, status in ipairs(parts) do parts[i] = string.format("%d: %d", status, statuses[status]) end
    return "Requests by status since the start: " .. table.concat(parts, ", ")
end

local function share(name, high)
    return { name = name, kind = "share", unit = "%", window = window, minimum = minimum, checks = { { kind = "limit", high = high } } }
end

local monitor = watch.new {
    title = "http", payloads = 2, explain = explain,
    measures = {
        share("server_errors", read_config("server_errors") or 2),
        share("client_errors", read_config("client_errors") or 20),
        { name = "requests", kind = "count", checks = {
            { kind = "gap", name = "inactivity", resolution = sec_per_row, longest = math.max(3600, 20 * sec_per_row) },
        } },
    },
}
_PRESERVATION_VERSION = monitor:version(read_config("preservation_version"))
state   = monitor:state()
classes = circular_buffer.new(monitor.rows, #CLASSES, monitor.sec_per_row)
for i, class in ipairs(CLASSES) do classes:set_header(i, class) end

local key_of = key.new(read_config("key"), "-")

local function status_of()
    local value = read_message(variable)
    if value == nil then return nil end
    local status = map[value] or tonumber(value)
    return status and status >= 100 and status < 600 and floor(status) or 0
end

function process_message()
    local status = status_of()
    if not status then return 0 end
    local ns = read_message("Timestamp")
    local k = monitor:at(state, ns, key_of())
    if not k then return 0 end
    local class = floor(status / 100)
    classes:add(ns, class > 0 and class or OTHER, 1)
    statuses[status] = (statuses[status] or 0) + 1
    local n, sum = k.n, k.sum
    n[SERVER], n[CLIENT], n[REQUESTS] = n[SERVER] + 1, n[CLIENT] + 1, n[REQUESTS] + 1
    if class == 5 then sum[SERVER] = sum[SERVER] + 1 elseif class == 4 then sum[CLIENT] = sum[CLIENT] + 1 end
    return 0
end

function timer_event(ns, shutdown)
    monitor:timer(state, ns, shutdown)
    monitor:show(state, inject_payload, "cbuf", monitor.title .. "_classes", classes)
    add_to_payload("Status\tRequests\n")
    for _, status in ipairs(most_frequent(0, 600, 600)) do
        add_to_payload(status > 0 and status or "other", "\t", statuses[status], "\n")
    end
    inject_payload("tsv", monitor.title .. "_statuses")
end
