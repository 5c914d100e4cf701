-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Store input: messages of a landfill, or of any folder of Heka or NDJSON files, back into the pipeline

Goes through the files below `store_path` in the order of their names, injects the messages that are wanted, tells how far it
is, and ends (or, with `ticker_interval`, looks again for what was added). The checkpoint is the file and the place in it,
so a restart goes on where it was.

Files that end in `.ndjson` or `.json` hold a JSON object a line, which goes to the decoder; all others are framed Heka
messages. Messages between `from` and `to` by their Timestamp are wanted, if they match `matcher`. A file whose name has
a date (`YYYYMMDD`, as those of a landfill do) outside of these days is not opened.

## Sample configuration

```lua
filename   = "heka_store.lua"
store_path = "/data/landfill"         -- a folder, or one file
-- ending    = ".done"             -- only files with this ending
-- matcher   = "Type == 'x'"       -- only messages that this message_matcher expression wants (not for NDJSON)
-- from      = "2026-11-01"        -- a day or a time in UTC, "2026-11-01T12:00:00Z"; without: from the first
-- to        = "2026-11-02"        -- up to, without this day or time; without: to the last
-- set_type  = "telemetry-raw"     -- replaces Type
-- progress  = 10                  -- seconds between two log lines
-- decoder_module = "decoders.json" -- for the lines of NDJSON files; see modules/decoding.lua
-- decode_frames = false           -- true: framed messages go through decoder_module, too: a landfill's
--                                 -- through decoders.moz_ingest.common
```
--]]

require "io"
require "math"
require "os"
require "string"
require "table"
local lfs = require "lfs"

local path     = read_config("store_path") or error("store_path must be set")
local ending   = read_config("ending") or ""
local progress = read_config("progress") or 10
local set_type = read_config("set_type")
local decode_frames = read_config("decode_frames")

local DAY = 86400

-- Seconds since 1970 of a day or time in UTC, by the civil calendar.
local function seconds(text, key)
    if text == nil then return nil end
    local y, m, d, rest = string.match(text, "^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$")
    local hh, mm, ss = 0, 0, 0
    if y and rest ~= "" then hh, mm, ss = string.match(rest, "^T(%d%d):(%d%d):(%d%d)Z$") end
    if not y or not hh then
        error(string.format("%s must be a day or a time in UTC such as 2026-11-01T12:00:00Z, found %s", key, text))
    end
    y, m, d = tonumber(y), tonumber(m), tonumber(d)
    if m <= 2 then y, m = y - 1, m + 12 end
    local days = 365 * y + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400)
        + math.floor((153 * (m - 3) + 2) / 5) + d - 719469
    return days * DAY + tonumber(hh) * 3600 + tonumber(mm) * 60 + tonumber(ss)
end

local from = seconds(read_config("from"), "from")
local to   = seconds(read_config("to"), "to")

-- Whether the days that a file's name tells may hold messages that are wanted. Files are finished some time after their
-- first message, so a day more is looked at on each side.
local function may_hold(name)
    local y, m, d = string.match(name, "[^%d](20%d%d)(%d%d)(%d%d)[^%d]")
    if not y then return true end
    local day = seconds(string.format("%s-%s-%s", y, m, d))
    return (not from or day + 2 * DAY > from) and (not to or day - DAY < to)
end

local function list(folder, files)
    for entry in lfs.dir(folder) do
        local name = folder .. "/" .. entry
        local mode = entry ~= "." and entry ~= ".." and lfs.attributes(name, "mode")
        if mode == "directory" then
            list(name, files)
        elseif mode == "file" and (ending == "" or string.sub(name, -#ending) == ending) and may_hold(entry) then
            files[#files + 1] = name
        end
    end
    return files
end

local function files_in_order()
    if lfs.attributes(path, "mode") == "file" then return { path } end
    local files = list(path, {})
    table.sort(files)
    return files
end

local matcher  = create_message_matcher(read_config("matcher") or "TRUE")
local reader   = create_stream_reader(read_config("Logger"))
local decode   = nil -- made when the first line needs it
local injected, skipped, told = 0, 0, os.time()

local function is_wanted()
    local ns = reader:read_message("Timestamp")
    return (not from or ns >= from * 1e9) and (not to or ns < to * 1e9) and matcher:eval(reader)
end

-- What a decoder makes of a record, whose end the checkpoint is.
local function inject_decoded(record, checkpoint)
    decode = decode or require "decoding".new()
    local ok, err = decode(record)
    if ok then
        injected = injected + 1
    else
        skipped = skipped + 1
        print("record not decoded", checkpoint, err)
    end
    inject_message(nil, checkpoint)
end

local function inject_found(checkpoint)
    if not is_wanted() then
        skipped = skipped + 1
        return
    end
    if decode_frames then return inject_decoded(reader:read_message("raw"), checkpoint) end
    if set_type then
        local message = decode_message(reader:read_message("raw"))
        message.Type = set_type
        inject_message(message, checkpoint)
    else
        inject_message(reader, checkpoint)
    end
    injected = injected + 1
end

local function read_frames(file, name, place)
    repeat
        local found, consumed, read = reader:find_message(file)
        place = place + consumed
        if found then inject_found(name .. ":" .. place) end
    until not found and read == 0 or not is_running()
    return place
end

local function read_lines(file, name, place)
    for line in file:lines() do
        place = place + #line + 1
        inject_decoded(line, name .. ":" .. place)
        if not is_running() then break end
    end
    return place
end

local function read_file(name, place)
    local file = assert(io.open(name, "rb"))
    assert(file:seek("set", place))
    local read = string.find(name, "%.n?d?json$") and read_lines or read_frames
    place = read(file, name, place)
    file:close()
    reader = create_stream_reader(read_config("Logger")) -- a torn end is read again when its rest has come
    return place
end

local function tell(n, n_files, name)
    local now = os.time()
    if now - told < progress and n < n_files then return end
    told = now
    print(string.format("file %d of %d, %d messages injected, %d not wanted: %s", n, n_files, injected, skipped, name))
end

function process_message(checkpoint)
    local at, place = string.match(checkpoint or "", "^(.*):(%d+)$")
    local files = files_in_order()
    for n, name in ipairs(files) do
        if not at or name >= at then
            local from_place = name == at and tonumber(place) or 0
            if lfs.attributes(name, "size") > from_place then
                local behind = read_file(name, from_place)
                if not is_running() then break end
                inject_message(nil, name .. ":" .. behind)
                tell(n, #files, name)
            end
        end
    end
    return 0
end
