-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Unique items: how many distinct ones there are in a row, and in the last rows together

Counts for instance active users by the day and by the month: distinct values of `item_variable` for each key, estimated by a
HyperLogLog (0.81 % standard error, 12 KiB for each key and row of the window, however many items there are). The graphs are
`unique_row` and `unique_window`, the table `unique`.

## Sample configuration

```lua
filename        = "unique_items.lua"
message_matcher = "Type == 'telemetry'"
ticker_interval = 60
preserve_data   = true
preserve_interval = 60
memory_limit    = 64 * 1024 * 1024
output_limit    = 1024 * 1024
item_variable   = "Fields[clientId]"
-- key         = { "Fields[normalizedChannel]" } -- nothing: all messages together, "all"
-- window      = 28     -- rows that are counted together; 1 for none
-- checks      = {}     -- of the number in a row; for instance { { kind = "robust" } }, see modules/monitor/watch.lua
-- sec_per_row = 86400  -- 3600: by the hour
-- rows        = 180    -- of the graphs
-- keys_max    = 10     -- keys that are counted, the first ones that come
-- refractory  = 21600  -- seconds without another alert of the same key
-- title       = "unique"
-- preservation_version = 0
alert = {
    modules = { email = { recipients = { "ops@example.com" } } },
}
```

## Alerts

With checks: the id is `KEY.row`.
--]]

local key   = require "monitor.key"
local watch = require "monitor.watch"

local variable = read_config("item_variable") or error("item_variable must be set")
local window   = read_config("window") or 28

local ROW, WINDOW = 1, 2

local measures = { { name = "row", kind = "unique", unit = "items", checks = read_config("checks") } }
if window > 1 then measures[WINDOW] = { name = "window", kind = "unique", unit = "items", window = window } end

local monitor = watch.new { title = "unique", sec_per_row = 86400, rows = 180, measures = measures }
_PRESERVATION_VERSION = monitor:version(read_config("preservation_version"))
state = monitor:state()

local key_of = key.new(read_config("key"), "-")
local read_message = read_message

function process_message()
    local item = read_message(variable)
    if item == nil then return 0 end
    if type(item) == "boolean" then item = tostring(item) end
    local k = monitor:at(state, read_message("Timestamp"), key_of())
    if not k then return 0 end
    monitor:unique(k, ROW, item)
    if window > 1 then monitor:unique(k, WINDOW, item) end
    return 0
end

function timer_event(ns, shutdown)
    monitor:timer(state, ns, shutdown)
end
