-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Heka lake: messages in objects whose folders are the values of their dimensions

Appends each message to the file of its dimensions in `batch_dir`. A file is called by them, joined by `+`, and when it is
large or old enough it becomes `<dimensions>+<seconds>_<n>_<hostname>.done` and is carried to `store`, where each `+` is a
`/`. The configuration of the public plugin of this name runs unchanged; without `store` somebody else carries the files.

With `experiment_dimension_file` a message whose `Fields[environment.experiments]` is a JSON object goes, too, to a file
for each of its experiments, whose dimensions may have the variables `experimentId` and `experimentBranch`.

A message counts as delivered once its files are on the disk, and a file is removed from there once the store has it for
good. Whenever the program is killed, each message is in the lake exactly once. A message whose path would be longer than
255 bytes fails. At most 10,000 files grow at once; beyond, those that were not written to for longest are finished early.
A file that grows takes about 400 bytes of memory and, while it is open and has something unwritten, 4 KiB more, so that
1,000 open files fit into the default memory limit.

## Sample configuration

```lua
filename          = "moz_telemetry_s3.lua"
message_matcher   = "Type == 'telemetry'"
ticker_interval   = 60
dimension_file    = "dimensions.json"     -- see modules/moz_telemetry/s3.lua
batch_dir         = "/data/lake"          -- for the files that grow; this plugin's alone
-- store             = "s3://bucket/lake" -- or a folder; without one the files stay in batch_dir as <name>.done
-- store_options     = {                  -- see plugins/reference/object_store.md
--     endpoint = "http://127.0.0.1:9000", credentials = "file:/run/secrets/s3",
-- }
-- compression       = "zstd"             -- or "gzip", of the objects in the store
-- max_file_handles  = 1000               -- files that are open at once; 0: as many as the system allows
-- max_file_size     = 314572800          -- bytes after which a file is finished
-- max_file_age      = 3600               -- seconds after which a file is finished
-- sync_every        = 1000               -- messages after which files are brought to the disk, as at each tick
-- flush_on_shutdown = true               -- finishes all files at a stop, otherwise they are gone on with
-- encoder_module    = "encoders.heka.framed_protobuf"
-- experiment_dimension_file = "experiments.json"  -- a second copy for each experiment that a message is part of
-- experiment_batch_dir      = "/data/experiments"
-- experiment_store          = "s3://bucket/experiments"
-- experiment_types          = {["normandy-preference-"] = true} -- only these types; experiments without a type count
-- experiment_blocklist      = {["pref-flip-screenshots"] = true} -- not these
```
--]]

require "cjson"
require "string"
require "table"
local encoding     = require "encoding"
local mts3         = require "moz_telemetry.s3"
local object_store = require "object_store"

local compression       = read_config("compression")
local experiment_types  = read_config("experiment_types") or {}
local experiment_blocks = read_config("experiment_blocklist") or {}
local flush_on_shutdown = read_config("flush_on_shutdown")
local max_file_handles  = read_config("max_file_handles") or 1000
local store_options     = read_config("store_options")
local sync_every        = read_config("sync_every") or 1000
local encode, frames    = encoding.new("encoders.heka.framed_protobuf")
assert(type(experiment_types) == "table", "experiment_types must be a table")
assert(type(experiment_blocks) == "table", "experiment_blocklist must be a table")

-- Without a timer each message is delivered at once, but the disk is not waited for.
local has_timer = (read_config("ticker_interval") or 0) > 0
if not has_timer then sync_every = 0 end
local commit_every = sync_every > 0 and sync_every or has_timer and 1000 or 1

local function spool(name, dir, store)
    return object_store.spool {
        name        = name,
        dir         = dir,
        frames      = frames,
        handles     = max_file_handles > 0 and max_file_handles or 1000000,
        roll_size   = read_config("max_file_size"),
        roll_age    = read_config("max_file_age"),
        sync        = sync_every > 0,
        compression = store and compression,
        store       = store and object_store.open(store, store_options),
    }
end

assert(not compression or read_config("store"), "compression needs a store")
local dimensions = mts3.validate_dimensions(read_config("dimension_file"))
local batch_dir  = read_config("batch_dir") or error("batch_dir must be specified")
local spools     = { spool(nil, batch_dir, read_config("store")) }

local experiment_dimensions = read_config("experiment_dimension_file")
if experiment_dimensions then
    local dir = read_config("experiment_batch_dir") or error("experiment_batch_dir must be specified")
    experiment_dimensions = mts3.validate_dimensions(experiment_dimensions)
    spools[2] = spool("experiments", dir, read_config("experiment_store"))
end

local n_gathered = 0

local function path_of(dims, variables)
    local values = {}
    for i, dimension in ipairs(dims) do values[i] = mts3.read_dimension(dimension, variables) end
    return table.concat(values, "+")
end

local function is_wanted(id, experiment)
    local kind = type(experiment) == "table" and experiment.type
    return (not kind or experiment_types[kind]) and not experiment_blocks[id]
end

-- The copies for experiments. What is wrong with them does not make the message itself fail.
local function write_experiments(data)
    local text = read_message("Fields[environment.experiments]")
    if not text then return end
    local ok, experiments = pcall(cjson.decode, text)
    if not ok or type(experiments) ~= "table" then return end
    for id, experiment in pairs(experiments) do
        if is_wanted(id, experiment) then
            local branch = type(experiment) == "table" and experiment.branch or nil
            local path = path_of(experiment_dimensions, { experimentId = id, experimentBranch = branch })
            local written, err = false, "filename too long"
            if spools[2]:fits(path) then written, err = spools[2]:write(path, data) end
            if not written then print(err, path) end
        end
    end
end

local function commit()
    for _, each in ipairs(spools) do
        if not each:commit() then return false end
    end
    return true
end

function process_message()
    local ok, data = pcall(encode)
    if not ok then return -1, data end
    if not data then return -2 end
    local path = path_of(dimensions)
    if not spools[1]:fits(path) then return -1, "filename too long: " .. path end
    local written, err = spools[1]:write(path, data)
    if not written then return -3, err end
    if experiment_dimensions then write_experiments(data) end
    n_gathered = n_gathered + 1
    if n_gathered < commit_every or not commit() then return -4 end
    n_gathered = 0
    return 0
end

function timer_event(ns, shutdown)
    local all_written = true
    for _, each in ipairs(spools) do
        local ok, err = each:tick(shutdown and flush_on_shutdown)
        if not ok then
            all_written = false
            print("the files cannot be brought to the disk", err)
        end
    end
    if all_written then
        n_gathered = 0
        update_checkpoint()
    end
    if shutdown then
        for _, each in ipairs(spools) do each:wait() end
    end
end
