-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Landfill: every raw submission, as it came, into files that are finished and carried away

Appends every message, framed, to a file in `batch_dir`. A file is finished when it has `roll_size` bytes, or when it is
`roll_interval` old, with or without traffic; then its name gets the ending `.done`, and whoever carries it away may have
it. Files are called `<landfill_name>+YYYYMMDD+HHMMSS.<n>_<hostname>_<pid>`, where each `+` stands for a `/` in an object
store. Submissions whose `host_field` is another host's go to a file of `<landfill_name>_other`.

Files that a crash has left behind are finished at the next start; a message that the crash tore apart is cut off and
written again; its bytes stay in a file that ends in `.torn`. Files without a message are removed.

## Sample configuration

```lua
filename        = "landfill.lua"
message_matcher = "Type == 'telemetry-raw'"
batch_dir       = "/data/landfill"
landfill_name   = "incoming.telemetry.mozilla.org"
ticker_interval = 10                     -- how often the age is looked at
-- host_field    = "Host"                -- the Field that must be landfill_name, or the file is that of the others
-- roll_size     = 314572800             -- bytes
-- roll_interval = 3600                  -- seconds
-- sync_every    = 1000                  -- messages after which files are brought to the disk itself, which is also
--                                       -- done at each tick; only then do they count as delivered; 0 leaves it to
--                                       -- the system
```
--]]

require "os"
require "string"
local append_file = require "foresight.append_file"
local lfs = require "lfs"

local batch_dir     = read_config("batch_dir") or error("batch_dir must be set")
local landfill_name = read_config("landfill_name") or error("landfill_name must be set")
local host_field    = read_config("host_field") or "Host"
local roll_size     = read_config("roll_size") or 314572800
local roll_interval = read_config("roll_interval") or 3600
local sync_every    = read_config("sync_every") or 1000
assert(not string.find(landfill_name, "[/+]"), "landfill_name must have no / and no +")

local host_name = string.format("Fields[%s]", host_field)
local framed    = read_message("framed", nil, nil, true)
local owner     = string.format("_%s_%d", read_config("Hostname"), read_config("Pid") or 0)
local pattern   = "^%+%d%d%d%d%d%d%d%d%+%d%d%d%d%d%d%.%d+_"

local open       = {} -- by name: the file, its path and when it was begun
local serial     = 0
local n_unsynced = 0

local function finish(path, file)
    if sync_every > 0 then assert(file:sync()) end
    assert(file:close())
    if lfs.attributes(path, "size") == 0 then
        assert(os.remove(path))
    else
        assert(os.rename(path, path .. ".done"))
    end
end

-- What an earlier run left unfinished. Opening a file cuts off a torn end.
local function finish_leftovers()
    for entry in lfs.dir(batch_dir) do
        for _, name in ipairs({ landfill_name .. "_other", landfill_name }) do
            local rest = string.sub(entry, 1, #name) == name and string.sub(entry, #name + 1)
            local is_over = rest and (string.find(rest, "%.done$") or string.find(rest, "%.torn$"))
            if rest and string.find(rest, pattern) and not is_over then
                local path = batch_dir .. "/" .. entry
                finish(path, assert(append_file.open(path, { frames = "heka" })))
                break
            end
        end
    end
end

local function begin(name)
    local now = os.time()
    local path
    repeat
        path = string.format("%s/%s+%s.%d%s", batch_dir, name, os.date("!%Y%m%d+%H%M%S", now), serial, owner)
        serial = serial + 1
    until not lfs.attributes(path, "mode") and not lfs.attributes(path .. ".done", "mode")
    open[name] = { file = assert(append_file.open(path, { frames = "heka" })), path = path, begun = now }
    return open[name]
end

local function roll(name)
    finish(open[name].path, open[name].file)
    open[name] = nil
end

local function sync_all()
    for _, current in pairs(open) do assert(current.file:sync()) end
    n_unsynced = 0
end

finish_leftovers()

function process_message()
    local name = landfill_name
    if read_message(host_name) ~= landfill_name then name = name .. "_other" end
    local current = open[name] or begin(name)
    assert(current.file:write(framed))
    if current.file:size() >= roll_size then roll(name) end
    if sync_every == 0 then return 0 end
    n_unsynced = n_unsynced + 1
    if n_unsynced < sync_every then return -4 end
    sync_all()
    return 0
end

function timer_event(ns, shutdown)
    for name, current in pairs(open) do
        if shutdown or os.time() - current.begun >= roll_interval then roll(name) end
    end
    if n_unsynced > 0 then
        sync_all()
        update_checkpoint()
    end
end
