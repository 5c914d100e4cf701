-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Tail input: follows a growing file through rotation and truncation

Every `ticker_interval` it reads what was appended and hands each line to a decoder. The checkpoint is
"inode:byte" of what was read, so after a restart nothing is read twice and nothing is left out.

- A file that was renamed away and made anew (rotation): the old file is read on until the new one has content,
  because its writer may not have noticed yet; then the new one from its begin. After a restart the rotated files
  `input_filename.*` and `input_filename-*` are read that are as new as the one that was being read, oldest first.
- A file that became shorter (truncation): it is read from its begin. (One that was truncated and grew beyond its
  old length between two looks cannot be told from one that only grew.)
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
require "table"
local lfs    = require "lfs"
local decode = require "decoding".new()

local input_filename = read_config("input_filename") or error("input_filename must be set")
local delimiter      = read_config("delimiter") or "\n"
local record_max     = read_config("record_max") or 65536
local start          = read_config("start") or "oldest"
local CHUNK          = 65536
-- So many rotated files are looked through for the one that was being read when the engine stopped.
local ROTATED_MAX    = 100
-- Rotated files that are no text any more.
local COMPRESSED     = { gz = true, bz2 = true, xz = true, zst = true }

assert(read_config("ticker_interval") > 0, "ticker_interval must be set: the file is looked at that often")
assert(start == "oldest" or start == "newest", "start must be 'oldest' or 'newest'")

local find, sub, match = string.find, string.sub, string.match

local fh, inode, place  -- the open file, its inode, and the place of the first byte not handed over
local looked = false    -- whether the file was looked for before, so that one that comes later is new as a whole
local failures

local function inode_of(path)
    local ino = lfs.attributes(path, "ino")
    return ino and string.format("%.0f", ino)
end

local function open(path, at)
    local f, err = io.open(path, "rb")
    if not f then return nil, err end
    fh, inode, place = f, inode_of(path), at
    return true
end

local function close()
    fh:close()
    fh = nil
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
            if (from or #buffer + 1) - at > record_max then
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

-- Whether `a` was written to before `b`; in one second the numbers of ".2" and ".1" say it.
local function is_older(a, b)
    if a.time ~= b.time then return a.time < b.time end
    local n, m = tonumber(match(a.path, "%.(%d+)$")), tonumber(match(b.path, "%.(%d+)$"))
    return n and m and n > m or false
end

-- The rotated file with this inode and all that were written to after it, oldest first.
local function rotated_since(wanted)
    local dir, name = match(input_filename, "^(.*)/([^/]*)$")
    if not dir then dir, name = ".", input_filename end
    local files, first = {}, nil
    for entry in lfs.dir(dir == "" and "/" or dir) do
        local prefix = sub(entry, 1, #name + 1)
        if (prefix == name .. "." or prefix == name .. "-") and not COMPRESSED[match(entry, "[^.]*$")] then
            local path = dir .. "/" .. entry
            local file = { path = path, inode = inode_of(path), time = lfs.attributes(path, "modification") }
            if file.inode and file.time then
                files[#files + 1] = file
                if file.inode == wanted then first = file end
            end
            if #files >= ROTATED_MAX then break end
        end
    end
    if not first then return {} end
    local since = {}
    for _, file in ipairs(files) do
        if is_older(first, file) then since[#since + 1] = file end
    end
    table.sort(since, is_older)
    table.insert(since, 1, first)
    return since
end

-- Reads the rest of what was rotated away while nobody looked.
local function read_rotated(ino, at)
    for _, file in ipairs(rotated_since(ino)) do
        if not is_running() then return end
        if open(file.path, file.inode == ino and at or 0) then
            read_on(true)
            close()
        end
    end
end

-- Goes on from the checkpoint: in the file itself, or in rotated ones first.
local function resume(checkpoint)
    local current = inode_of(input_filename)
    local ino, at = match(checkpoint or "", "^(%d+):(%d+)$")
    at = tonumber(at) or 0
    if ino and ino ~= current then
        read_rotated(ino, at)
        at = 0
    end
    local first_look = not looked
    looked = true
    if not current or not is_running() then return false end
    if not ino and start == "newest" and first_look then at = lfs.attributes(input_filename, "size") end
    return open(input_filename, at)
end

-- Whether another file has taken the name, and its writer has begun to use it.
local function is_replaced()
    local current = inode_of(input_filename)
    return current and current ~= inode and lfs.attributes(input_filename, "size") > 0
end

function process_message(checkpoint)
    failures = 0
    if not fh and not resume(checkpoint) then return 0 end
    if fh:seek("end") < place then place = 0 end -- truncated
    local replaced = is_replaced()
    read_on(replaced)
    if replaced and is_running() then
        close()
        if open(input_filename, 0) then read_on(false) end
    end
    if failures > 0 then return -1, string.format("%d lines were not decoded", failures) end
    return 0
end
