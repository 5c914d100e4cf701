-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Landfill: every raw submission, as it came, into files that are finished and carried to a store

Appends every message, framed, to a file in `batch_dir`. A file is finished when it has `roll_size` bytes, or when it is
`roll_interval` old, with or without traffic; then its name gets the ending `.done`, and it is carried to `store`, or
whoever else carries it away may have it. Files are called `<landfill_name>+YYYYMMDD+HHMMSS.<n>_<hostname>_<pid>`, where
each `+` becomes a `/` in the store. Submissions whose `host_field` is another host's go to a file of
`<landfill_name>_other`.

A message counts as delivered once its file is on the disk, and a file is removed from the disk once the store has it for
good; attempts go on until it has. Whenever the program is killed, each message is in the landfill exactly once: what was
written and not yet delivered is cut off at the next start, and comes again. Files that a crash of another engine has left
behind are finished at the next start; a message that the crash tore apart is cut off, and its bytes stay in a file that
ends in `.torn`. Files without a message are removed.

## Sample configuration

```lua
filename        = "landfill.lua"
message_matcher = "Type == 'telemetry-raw'"
batch_dir       = "/data/landfill"
landfill_name   = "incoming.telemetry.mozilla.org"
ticker_interval = 10                     -- how often the age is looked at
-- store         = "s3://bucket/landfill" -- or a folder; without one the files stay in batch_dir as <name>.done
-- store_options = {                     -- see plugins/reference/object_store.md
--     endpoint = "http://127.0.0.1:9000", credentials = "file:/run/secrets/s3",
-- }
-- compression   = "zstd"                -- or "gzip", of the objects in the store
-- host_field    = "Host"                -- the Field that must be landfill_name, or the file is that of the others
-- roll_size     = 314572800             -- bytes
-- roll_interval = 3600                  -- seconds
-- sync_every    = 1000                  -- messages after which files are brought to the disk itself, which is also
--                                       -- done at each tick; only then do they count as delivered; 0 leaves it to
--                                       -- the system
```
--]]

require "string"
local object_store = require "object_store"

local batch_dir     = read_config("batch_dir") or error("batch_dir must be set")
local landfill_name = read_config("landfill_name") or error("landfill_name must be set")
local host_field    = read_config("host_field") or "Host"
local sync_every    = read_config("sync_every") or 1000
local store         = read_config("store")
assert(not string.find(landfill_name, "[/+]"), "landfill_name must have no / and no +")

local host_name  = string.format("Fields[%s]", host_field)
local framed     = read_message("framed", nil, nil, true)
local of_others  = landfill_name .. "_other"
local n_gathered = 0

-- Without syncs a message counts as delivered when the system has it, at the same times.
local COMMIT_EVERY = sync_every > 0 and sync_every or 1000

local spool = object_store.spool {
    dir         = batch_dir,
    groups      = { landfill_name, of_others },
    roll_size   = read_config("roll_size"),
    roll_age    = read_config("roll_interval"),
    sync        = sync_every > 0,
    compression = read_config("compression"),
    store       = store and object_store.open(store, read_config("store_options")),
}

function process_message()
    local name = landfill_name
    if read_message(host_name) ~= landfill_name then name = of_others end
    local ok, err = spool:write(name, framed)
    if not ok then return -3, err end
    n_gathered = n_gathered + 1
    if n_gathered < COMMIT_EVERY or not spool:commit() then return -4 end
    n_gathered = 0
    return 0
end

function timer_event(ns, shutdown)
    local ok, err = spool:tick(shutdown)
    if not ok then
        print("the files cannot be brought to the disk", err)
        return
    end
    n_gathered = 0
    update_checkpoint()
    if shutdown then spool:wait() end
end
