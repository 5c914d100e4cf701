-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Log file output: encoded messages into a file that rolls by size and by time

Appends every message, encoded, to a file. When the file is larger than `roll_size`, or older than `roll_interval`,
it is renamed to `output_file.YYYYMMDD-HHMMSS.NNN` and a new one begun; the oldest are deleted beyond `retention`.
A line that a crash tore apart is cut off at the next start and written again.

## Sample configuration

```lua
filename        = "log_file.lua"
message_matcher = "TRUE"
output_file     = "/data/messages.log"
encoder_module  = "encoders.lines"         -- or "encoders.json", "encoders.heka.framed_protobuf"
ticker_interval = 60                       -- how often the age is looked at
-- roll_size = 104857600                   -- bytes; 0 never by size
-- roll_interval = 0                       -- seconds; 86400 rolls at midnight UTC; 0 never by time
-- retention = 0                           -- rolled files kept; 0 keeps all
```
--]]

require "os"
require "string"
require "table"
require "math"
local append_file = require "foresight.append_file"
local lfs = require "lfs"
local encode, frames = require "encoding".new("encoders.lines")

local output_file   = read_config("output_file") or error("output_file must be set")
local roll_size     = read_config("roll_size") or 104857600
local roll_interval = read_config("roll_interval") or 0
local retention     = read_config("retention") or 0

local file = assert(append_file.open(output_file, { frames = frames }))
local dir, name = string.match(output_file, "^(.*)/([^/]*)$")
if not dir then dir, name = ".", output_file end

-- The interval in which the file was begun: its last change, if it was there before.
local function period(s)
    return math.floor(s / roll_interval)
end
local begun = roll_interval > 0
    and period(file:size() > 0 and lfs.attributes(output_file, "modification") or os.time())

local function delete_old()
    if retention <= 0 then return end
    local rolled = {}
    for entry in lfs.dir(dir == "" and "/" or dir) do
        if string.sub(entry, 1, #name + 1) == name .. "."
            and string.find(entry, "%.%d%d%d%d%d%d%d%d%-%d%d%d%d%d%d%.%d+$") then
            rolled[#rolled + 1] = entry
        end
    end
    table.sort(rolled)
    for i = 1, #rolled - retention do os.remove(dir .. "/" .. rolled[i]) end
end

-- The names of rolled files sort in the order of their rolling, also within a second in which some were deleted.
local last_stamp, n = nil, 0

local function roll()
    if file:size() == 0 then return end
    local stamp = os.date("!%Y%m%d-%H%M%S", os.time())
    if stamp ~= last_stamp then last_stamp, n = stamp, 0 end
    local target
    repeat
        target = string.format("%s.%s.%03d", output_file, stamp, n)
        n = n + 1
    until not lfs.attributes(target, "mode")
    assert(file:rotate(target))
    delete_old()
end

function process_message()
    local data = encode()
    if not data then return -2 end
    assert(file:write(data))
    if roll_size > 0 and file:size() >= roll_size then roll() end
    return 0
end

function timer_event(ns, shutdown)
    if shutdown then
        assert(file:close())
    elseif roll_interval > 0 then
        local now = period(ns / 1e9)
        if now ~= begun then
            roll()
            begun = now
        end
    end
end
