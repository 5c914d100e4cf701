-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Tail input: follows a growing file through rotation and truncation

Every `ticker_interval` it reads what was appended and hands each line to a decoder. The checkpoint is
"inode:byte" of what was read, so after a restart nothing is read twice and nothing is left out.

- A file that was renamed away and made anew (rotation): the rest of the old file is read first, through the open
  handle or, after a restart, from the rotated files named `input_filename.*`; then the new one from its begin.
- A file that became shorter (truncation): it is read from its begin.
- A last line without its end waits for the rest.
- A file that does not exist yet is waited for.

## Sample configuration

```lua
filename        = "tail.lua"
input_filename  = "/var/log/syslog"
ticker_interval = 1
-- start = "oldest"       -- without a checkpoint: "oldest" reads the whole file, "newest" only what comes
-- decoder_module, default_headers, send_decode_failures: see modules/decoding.lua
-- delimiter = "\n"
-- record_max = 65536     -- a longer line is cut there
```
--]]

require "io"
require "string"
local lfs    = require "lfs"
local decode = require "decoding".new()

local input_filename = read_config("input_filename") or error("input_filename must be set")
local delimiter      = read_config("delimiter") or "\n"
local record_max     = read_config("record_max") or 65536
local start          = read_config("start") or "oldest"
local CHUNK          = 65536
-- So many rotated files are looked through for the one that was being read when the engine stopped.
local ROTATED_MAX    = 100

assert(read_config("ticker_interval") > 0, "ticker_interval must be set: the file is looked at that often")
assert(start == "oldest" or start == "newest", "start must be 'oldest' or 'newest'")

local find, sub, match = string.find, string.sub, string.match

local fh, inode, place  -- the open file, its inode, and the place of the first byte not handed over
local failures

local function inode_of(path)
    local ino = lfs.attributes(path, "ino")
    return ino and string.format("%.0f", ino)
end

local function open(path, at)
    local f, err = io.open(path, "rb")
    if not f then return nil, err end
    fh, inode, place = f, inode_of(path), at
    fh:seek("set", at)
    return true
end

local function hand_over(record, behind)
    local ok, err = decode(record)
    if not ok then
        failures = failures + 1
        print("line not decoded", err)
    end
    place = behind
    inject_message(nil, inode .. ":" .. string.format("%.0f", place))
end

-- Hands over every whole line from `place` on; `rest` says that the file will not grow any more.
local function read_on(rest)
    fh:seek("set", place)
    local buffer, base = "", place
    while is_running() do
        local chunk = fh:read(CHUNK)
        if not chunk then break end
        buffer = buffer .. chunk
        local at = 1
        while is_running() do
            local from, to = find(buffer, delimiter, at, true)
            if not from and #buffer - at + 1 > record_max then
                from, to = at + record_max, at + record_max - 1
                print("a line is longer than record_max and was cut")
            end
            if not from then break end
            hand_over(sub(buffer, at, from - 1), base + to)
            at = to + 1
        end
        buffer, base = sub(buffer, at), base + at - 1
    end
    if rest and #buffer > 0 and is_running() then hand_over(buffer, base + #buffer) end
end

-- The rotated file with this inode, if it still lies beside the input file.
local function find_rotated(wanted)
    local dir, name = match(input_filename, "^(.*)/([^/]*)$")
    if not dir then dir, name = ".", input_filename end
    local seen = 0
    for entry in lfs.dir(dir == "" and "/" or dir) do
        if sub(entry, 1, #name + 1) == name .. "." or sub(entry, 1, #name + 1) == name .. "-" then
            seen = seen + 1
            local path = dir .. "/" .. entry
            if inode_of(path) == wanted then return path end
            if seen >= ROTATED_MAX then break end
        end
    end
end

-- Goes on from the checkpoint: in the file itself, or in a rotated one first.
local function resume(checkpoint)
    local current = inode_of(input_filename)
    local ino, at = match(checkpoint or "", "^(%d+):(%d+)$")
    if ino and ino ~= current then
        local rotated = find_rotated(ino)
        if rotated and open(rotated, tonumber(at)) then
            read_on(true)
            fh:close()
            fh = nil
        end
        at = 0
    end
    if not current then return end
    if not ino and start == "newest" then at = lfs.attributes(input_filename, "size") end
    return open(input_filename, tonumber(at) or 0)
end

function process_message(checkpoint)
    failures = 0
    if not fh and not resume(checkpoint) then return 0 end
    if fh:seek("end") < place then place = 0 end -- truncated
    local rotated = inode_of(input_filename) ~= inode
    read_on(rotated)
    if rotated and is_running() then
        fh:close()
        fh = nil
        if open(input_filename, 0) then read_on(false) end
    end
    if failures > 0 then return -1, string.format("%d lines were not decoded", failures) end
    return 0
end
