-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# File input: reads one file, or standard input, to its end

Reads records from a file and hands them to a decoder. The checkpoint is the byte behind the last record, so after a
restart it goes on where it was. With `ticker_interval = 0` it ends when the file ends; otherwise it looks again for
what was appended in the meantime.

## Sample configuration

```lua
filename        = "file.lua"
instruction_limit = 0   -- one call reads all that there is
input_filename  = "/var/log/dpkg.log"   -- nil reads standard input, whose place cannot be remembered
ticker_interval = 0
-- decoder_module, default_headers, send_decode_failures: see modules/decoding.lua
-- delimiter = "\n"       -- what ends a record; one or more bytes
-- record_max = 65536     -- a longer record is cut there, which is logged
```
--]]

require "io"
require "string"
local decode = require "decoding".new()

local input_filename = read_config("input_filename")
local delimiter      = read_config("delimiter") or "\n"
local record_max     = read_config("record_max") or 65536
local CHUNK          = 65536

assert(type(delimiter) == "string" and #delimiter > 0, "delimiter must be a text of one byte or more")
assert(type(record_max) == "number" and record_max >= 1, "record_max must be a number of bytes")

local find, sub = string.find, string.sub
local failures, records = 0, 0

local function hand_over(record, place)
    records = records + 1
    local ok, err = decode(record)
    if not ok then
        failures = failures + 1
        print("record not decoded", err)
    end
    if place then inject_message(nil, place) end
end

-- Hands over all whole records of `buffer`; returns what is left and the place of its first byte.
local function split(buffer, place)
    local at = 1
    while true do
        local from, to = find(buffer, delimiter, at, true)
        if (from or #buffer + 1) - at > record_max then
            from, to = at + record_max, at + record_max - 1
            print("a record is longer than record_max and was cut")
        end
        if not from then break end
        hand_over(sub(buffer, at, from - 1), place and place + to)
        at = to + 1
        if not is_running() then break end
    end
    return sub(buffer, at), place and place + at - 1
end

local function read_all(fh, place, at_end)
    local buffer = ""
    while is_running() do
        local chunk = fh:read(CHUNK)
        if not chunk then break end
        buffer, place = split(buffer .. chunk, place)
    end
    -- A record without its delimiter counts only when nothing can follow.
    if at_end and #buffer > 0 and is_running() then
        hand_over(buffer, place and place + #buffer)
    end
end

-- Lines are handed over as they come; for another delimiter a whole chunk has to come first.
local function read_stdin()
    if delimiter ~= "\n" then return read_all(io.stdin, nil, true) end
    while is_running() do
        local line = io.stdin:read("*l")
        if not line then break end
        split(line .. "\n")
    end
end

function process_message(checkpoint)
    failures, records = 0, 0
    local once = read_config("ticker_interval") == 0
    if not input_filename then
        read_stdin()
    else
        local fh, err = io.open(input_filename, "rb")
        if not fh then
            if once then error(err) end
            return -1, err
        end
        local place = tonumber(checkpoint) or 0
        -- A file that became shorter is another file.
        if fh:seek("end") < place then place = 0 end
        fh:seek("set", place)
        read_all(fh, place, once)
        fh:close()
    end
    if failures > 0 then
        return -1, string.format("%d of %d records were not decoded", failures, records)
    end
    return 0
end
