-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Reading stores: messages out of the objects of a store, for input plugins

What `input/heka_store.lua` and `input/heka_s3.lua` have in common: an object is read from a place on, decompressed, its
records injected with the checkpoint `<key>:<place>`, where the place counts decompressed bytes.

Objects whose names end in `.ndjson`, `.json`, `.jsonl` or `.log`, or all with `format = "lines"`, hold a record a line,
which goes to the decoder; all others, or all with `format = "heka"`, are framed Heka messages.

## Functions

- `reader = store_reader.new(store)`: reads objects of this store by the keys of the configuration: `matcher`, `from`,
  `to`, `set_type`, `decoder_module`, `decode_frames`, `format`, `snappy_messages`, `progress`.
- `reader.from`, `reader.to`: seconds since 1970, or nil.
- `reader:visit(key, place)`: injects what is in an object from a place on, then the checkpoint behind it, and tells the progress
  now and then; false when the plugin has to end.
- `reader:pass_ends()`: tells how much there was, if anything.
- `store_reader.seconds(text, key)`: seconds since 1970 of a day or time in UTC.
- `store_reader.split(checkpoint)`: key and place.
--]]

local math   = require "math"
local os     = require "os"
local snappy = require "snappy"
local string = require "string"

local error, pcall, print, require, setmetatable, tonumber = error, pcall, print, require, setmetatable, tonumber
local create_message_matcher, create_stream_reader = create_message_matcher, create_stream_reader
local decode_message, inject_message, is_running = decode_message, inject_message, is_running
local read_config = read_config

local M = {}
setfenv(1, M)

local DAY = 86400
local LINES = { ndjson = true, json = true, jsonl = true, log = true }

-- Endings that tell how an object is compressed, not what is in it.
local PACKED = { gz = true, zst = true, zstd = true, sz = true, snappy = true }

-- By the civil calendar.
function seconds(text, key)
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

function split(checkpoint)
    local key, place = string.match(checkpoint or "", "^(.*):(%d+)$")
    return key, tonumber(place)
end

local Reader = {}
Reader.__index = Reader

function new(store)
    local reader = {
        store           = store,
        from            = seconds(read_config("from"), "from"),
        to              = seconds(read_config("to"), "to"),
        matcher         = create_message_matcher(read_config("matcher") or "TRUE"),
        set_type        = read_config("set_type"),
        decode_frames   = read_config("decode_frames"),
        format          = read_config("format"),
        snappy_messages = read_config("snappy_messages"),
        progress        = read_config("progress") or 10,
        objects         = 0,
        injected        = 0,
        skipped         = 0,
        told            = os.time(),
    }
    local format = reader.format
    if format and format ~= "heka" and format ~= "lines" then error("format must be 'heka' or 'lines'") end
    return setmetatable(reader, Reader)
end

function Reader:has_lines(key)
    if self.format then return self.format == "lines" end
    local name, ending = string.match(key, "^(.*)%.([^./]*)$")
    if PACKED[ending] then ending = string.match(name, "%.([^./]*)$") end
    return LINES[ending] == true
end

-- What a decoder makes of a record, whose end the checkpoint is.
function Reader:decode(record, checkpoint)
    self.decoder = self.decoder or require "decoding".new()
    local ok, err = self.decoder(record)
    if ok then
        self.injected = self.injected + 1
    else
        self.skipped = self.skipped + 1
        print("record not decoded", checkpoint, err)
    end
    inject_message(nil, checkpoint)
end

function Reader:is_wanted(message)
    local ns = message:read_message("Timestamp")
    return (not self.from or ns >= self.from * 1e9) and (not self.to or ns < self.to * 1e9)
        and self.matcher:eval(message)
end

function Reader:inject(message, checkpoint)
    if not self:is_wanted(message) then
        self.skipped = self.skipped + 1
        return
    end
    if self.decode_frames then return self:decode(message:read_message("raw"), checkpoint) end
    if self.set_type then
        local copy = decode_message(message:read_message("raw"))
        copy.Type = self.set_type
        inject_message(copy, checkpoint)
    else
        inject_message(message, checkpoint)
    end
    self.injected = self.injected + 1
end

-- Old lakes have each message compressed by itself, or not.
function Reader:inject_snappy(frames, message, checkpoint)
    local raw = frames:read_message("raw")
    local ok, unpacked = pcall(snappy.uncompress, raw)
    if pcall(message.decode_message, message, ok and unpacked or raw) then
        self:inject(message, checkpoint)
    else
        self.skipped = self.skipped + 1
    end
end

function Reader:read_frames(object, key, place)
    local frames = create_stream_reader(read_config("Logger"))
    local message = self.snappy_messages and create_stream_reader("snappy")
    repeat
        local found, consumed, read = frames:find_message(object, not message)
        place = place + consumed
        if found then
            local checkpoint = string.format("%s:%.0f", key, place)
            if message then
                self:inject_snappy(frames, message, checkpoint)
            else
                self:inject(frames, checkpoint)
            end
        end
    until not found and read == 0 or not is_running()
    return place
end

function Reader:read_lines(object, key, place)
    for line in object.line, object do
        place = place + #line + 1
        self:decode(line, string.format("%s:%.0f", key, place))
        if not is_running() then break end
    end
    return place
end

function Reader:read(key, place)
    local object, err = self.store:open(key, { from = place })
    if not object then error(string.format("%s: %s", key, err)) end
    local read = self:has_lines(key) and self.read_lines or self.read_frames
    place = read(self, object, key, place)
    object:close()
    return place
end

function Reader:tell(key, is_last)
    local now = os.time()
    if now - self.told < self.progress and not is_last then return end
    self.told = now
    print(string.format("%d objects read, %d messages injected, %d not wanted: %s", self.objects, self.injected, self.skipped, key))
end

function Reader:visit(key, place)
    local behind = self:read(key, place or 0)
    if not is_running() then return false end
    inject_message(nil, string.format("%s:%.0f", key, behind))
    self.objects = self.objects + 1
    self:tell(key)
    return true
end

function Reader:pass_ends()
    if self.objects > 0 then self:tell("the last", true) end
    self.objects = 0
end

return M
