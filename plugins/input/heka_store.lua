-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Store input: messages of a landfill, or of any store of Heka, NDJSON or text files, back into the pipeline

Goes through the objects below `store_path`, a folder or a bucket of S3, in the order of their keys, injects the messages
that are wanted, tells how far it is, and ends (or, with `ticker_interval`, looks again for what was added). The checkpoint
is the object and the place in it, so a restart goes on where it was. An object that was added with a key before the
checkpoint's is not seen.

Objects that end in `.ndjson`, `.json`, `.jsonl` or `.log` hold a record a line, which goes to the decoder; all others are
framed Heka messages. Whatever begins as gzip, zstd or framed snappy does is decompressed. Messages between `from` and
`to` by their Timestamp are wanted, if they match `matcher`. An object whose key has a date (`YYYYMMDD`, as those of a
landfill do) outside of these days is not opened. A store that cannot be reached is tried again and again.

## Sample configuration

```lua
filename   = "heka_store.lua"
instruction_limit = 0   -- one call reads all that there is
store_path = "/data/landfill"         -- a folder, one file, or s3://bucket/prefix
-- store_options = {               -- see plugins/reference/object_store.md
--     endpoint = "http://127.0.0.1:9000", credentials = "file:/run/secrets/s3",
-- }
-- prefix    = "incoming/"         -- only objects whose keys below store_path begin with this
-- day_prefix = "incoming/"        -- the same for keys that go on with a date, YYYYMMDD; with from and to only these
--                                 -- days are listed
-- ending    = ".done"             -- only files with this ending
-- format    = "lines"             -- or "heka": whatever the names say
-- matcher   = "Type == 'x'"       -- only messages that this message_matcher expression wants (not for lines)
-- from      = "2026-11-01"        -- a day or a time in UTC, "2026-11-01T12:00:00Z"; without: from the first
-- to        = "2026-11-02"        -- up to, without this day or time; without: to the last
-- set_type  = "telemetry-raw"     -- replaces Type
-- progress  = 10                  -- seconds between two log lines
-- decoder_module = "decoders.json" -- for lines; see modules/decoding.lua
-- decode_frames = false           -- true: framed messages go through decoder_module, too: a landfill's
--                                 -- through decoders.moz_ingest.common
-- snappy_messages = false         -- true: each framed message may be compressed by itself, as in old lakes
```
--]]

require "os"
require "string"
local lfs          = require "lfs"
local object_store = require "object_store"
local store_reader = require "store_reader"

local path       = read_config("store_path") or error("store_path must be set")
local prefix     = read_config("prefix") or ""
local day_prefix = read_config("day_prefix")
local ending     = read_config("ending") or ""

local DAY = 86400

local is_s3, single = string.find(path, "^s3://") ~= nil, nil
if not is_s3 then
    path = string.gsub(path, "(.)/+$", "%1")
    if lfs.attributes(path, "mode") == "file" then
        path, single = string.match("./" .. path, "^(.*)/([^/]+)$")
        if string.sub(path, 1, 2) == "./" then path = string.sub(path, 3) end
        if string.find(read_config("store_path"), "^/") and path == "" then path = "/" end
    end
end

local store  = object_store.open(path, read_config("store_options"))
local reader = store_reader.new(store)

-- Whether the day that a key tells may hold messages that are wanted. Objects are finished some time after their first
-- message, so a day more is looked at on each side.
local function may_hold(key)
    local y, m, d = string.match("/" .. key .. "/", "[^%d](20%d%d)(%d%d)(%d%d)[^%d]")
    if not y then return true end
    local day = store_reader.seconds(string.format("%s-%s-%s", y, m, d))
    return (not reader.from or day + 2 * DAY > reader.from) and (not reader.to or day - DAY < reader.to)
end

-- Where to begin listing, and which key ends it.
local function range()
    if not day_prefix then return prefix, "", nil end
    local first, last = "", nil
    if reader.from then first = day_prefix .. os.date("!%Y%m%d", reader.from - DAY) end
    if reader.to then last = day_prefix .. os.date("!%Y%m%d", reader.to + DAY) .. "\255" end
    return day_prefix, first, last
end

local function read_new(at, place)
    local wanted_prefix, after, last = range()
    local function visit(key, size)
        local from_place = key == at and place or 0
        if from_place > 0 and size == from_place then return true end
        return reader:visit(key, from_place)
    end
    if single then
        visit(single, lfs.attributes(path .. "/" .. single, "size"))
    else
        -- The one that was being read comes once more; the listing goes on behind it.
        if at and at > after then
            for key, size in store:list(at) do
                if key == at and not visit(key, size) then return end
                break
            end
            after = at
        end
        for key, size in store:list(wanted_prefix, after) do
            if last and key > last then break end
            local is_wanted = ending == "" or string.sub(key, -#ending) == ending
            if is_wanted and may_hold(key) and not visit(key, size) then return end
        end
    end
    reader:pass_ends()
end

function process_message(checkpoint)
    local at, place = store_reader.split(checkpoint)
    -- Checkpoints of a folder had its path in front.
    if at and not is_s3 and string.sub(at, 1, #path + 1) == path .. "/" then at = string.sub(at, #path + 2) end
    read_new(at, place)
    return 0
end
