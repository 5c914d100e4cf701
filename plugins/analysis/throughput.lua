-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Throughput: messages and bytes per interval

Counts the messages it gets and shows the counts of the last intervals as a table (payload type "tsv", name
"throughput"): the begin of the interval in Unix seconds, messages, bytes, messages per second. The counts outlive
a restart.

## Sample configuration

```lua
filename         = "throughput.lua"
message_matcher  = "TRUE"
ticker_interval  = 60
preserve_data    = true
-- rows = 1440           -- intervals kept
-- sec_per_row = 60      -- seconds of an interval
-- preservation_version = 0
```
--]]

_PRESERVATION_VERSION = read_config("preservation_version") or 0
-- A change of the table's shape makes the kept counts meaningless.
_PRESERVATION_VERSION = _PRESERVATION_VERSION * 1e9
    + (read_config("rows") or 1440) * 1e4 + (read_config("sec_per_row") or 60)

require "math"
require "table"

local rows        = read_config("rows") or 1440
local sec_per_row = read_config("sec_per_row") or 60
assert(rows > 0 and rows <= 100000, "rows must be 1 to 100000")
assert(sec_per_row > 0, "sec_per_row must be greater than 0")

local floor = math.floor
local read_message = read_message
local row_ns = sec_per_row * 1e9

messages = {}  -- row number -> messages
bytes    = {}  -- row number -> bytes
newest   = 0   -- the newest row number, row_ns * newest is its begin

local function advance(row)
    for old = newest - rows + 1, math.min(newest, row - rows) do
        messages[old], bytes[old] = nil, nil
    end
    newest = row
end

function process_message()
    local row = floor(read_message("Timestamp") / row_ns)
    if row > newest then
        if newest == 0 then newest = row else advance(row) end
    end
    if row > newest - rows then
        messages[row] = (messages[row] or 0) + 1
        bytes[row] = (bytes[row] or 0) + read_message("size")
    end
    return 0
end

function timer_event(ns, shutdown)
    add_to_payload("Time (s)\tMessages\tBytes\tMessages per second\n")
    for row = newest - rows + 1, newest do
        local n = messages[row]
        if n then
            add_to_payload(row * sec_per_row, "\t", n, "\t", bytes[row], "\t", n / sec_per_row, "\n")
        end
    end
    inject_payload("tsv", "throughput")
end
