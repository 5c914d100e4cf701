-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Heka file output: messages into a file of framed Heka messages

Appends every message as it is. The file is what the input `heka_file.lua` and `foresight cat` read. A message that a
crash tore apart is cut off at the next start and written again.

## Sample configuration

```lua
filename        = "heka_file.lua"
message_matcher = "TRUE"
output_file     = "/data/messages.heka"
-- roll_size = 0       -- bytes after which the file is renamed to output_file.N and a new one begun; 0 never
-- sync = false        -- true: every message is on the disk itself before it counts as delivered
```
--]]

local append_file = require "foresight.append_file"

local output_file = read_config("output_file") or error("output_file must be set")
local roll_size   = read_config("roll_size") or 0
local sync        = read_config("sync")

local lfs = require "lfs"
require "string"

local file   = assert(append_file.open(output_file, { frames = "heka" }))
local framed = read_message("framed", nil, nil, true)

local function roll()
    local n = 1
    while lfs.attributes(string.format("%s.%d", output_file, n), "mode") do n = n + 1 end
    assert(file:rotate(string.format("%s.%d", output_file, n)))
end

function process_message()
    if roll_size > 0 and file:size() >= roll_size then roll() end
    assert(file:write(framed))
    if sync then assert(file:sync()) end
    return 0
end

function timer_event(ns, shutdown)
    if shutdown then assert(file:close()) end
end
