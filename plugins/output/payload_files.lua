-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Payload files output: every payload that analysis plugins inject becomes a file

Writes each `inject_payload` into `<output_dir>/<Logger>.<payload_name>.<payload_type>`, replacing the file as a
whole, so that a reader never sees half of it. These are the files that dashboards show.

## Sample configuration

```lua
filename        = "payload_files.lua"
message_matcher = "Type == 'inject_payload'"
read_queue      = "analysis"
output_dir      = "/data/payload"
-- files_max = 10000       -- further files are refused, which counts as a failure
```

A character of Logger or name that is no letter, digit or dot becomes "_"; of the type, each that is no letter or
digit. Names can therefore not leave the directory.
--]]

require "string"
local append_file = require "foresight.append_file"
local lfs = require "lfs"
local payload_name = require "payload_name"

local output_dir = read_config("output_dir") or error("output_dir must be set")
local files_max  = read_config("files_max") or 10000

assert(lfs.attributes(output_dir, "mode") == "directory" or lfs.mkdir(output_dir))

local known, n_known = {}, 0
for entry in lfs.dir(output_dir) do
    if entry ~= "." and entry ~= ".." then
        known[entry] = true
        n_known = n_known + 1
    end
end

function process_message()
    local file = string.format("%s.%s.%s", payload_name.of_message())
    if not known[file] then
        if n_known >= files_max then return -1, "files_max is reached: " .. file end
        known[file] = true
        n_known = n_known + 1
    end
    local ok, err = append_file.write_whole(output_dir .. "/" .. file, read_message("Payload") or "")
    if not ok then return -1, err end
    return 0
end

function timer_event(ns, shutdown)
end
