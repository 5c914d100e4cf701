-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Follower: reads a growing file through rotation, truncation, compression and restarts

For input plugins. A follower knows its file by the inode and by a hash of its first bytes, so that it also knows the file
again as a copy, under another name, or compressed.

## Functions

`f = follower.new(path, options)` follows a file that need not exist yet. `options` is a table with

| key | meaning |
|---|---|
| hand_over(record) | takes a record |
| moved() | called when `f.checkpoint()` has changed, after some records |
| delimiter | what ends a record |
| record_max | longer records are cut there |
| newest | true: without a checkpoint only what comes after the first look is read |

`f.look(checkpoint)` reads what is new; `checkpoint` counts at the first look only. `f.checkpoint()` is a text
`INODE:BYTE:LENGTH:HASH`: which file, how much of it was handed over, and the hash of its first LENGTH bytes; nil as long
as nothing was opened. `INODE:BYTE` alone is understood too. `f.is_gone()` says that the file no longer has a name and was
read to its end.
--]]

local io     = require "io"
local lfs    = require "lfs"
local gzfile = require "gzfile"
local math   = require "math"
local string = require "string"
local table  = require "table"
local xxhash = require "xxhash"

local min = math.min
local find, format, match, sub = string.find, string.format, string.match, string.sub
local concat, insert, sort = table.concat, table.insert, table.sort
local attributes, dir, open_gz, h32 = lfs.attributes, lfs.dir, gzfile.open, xxhash.h32
local is_running, print = is_running, print
local ipairs, pcall, tonumber = ipairs, pcall, tonumber

local M = {}
setfenv(1, M)

local CHUNK = 65536
-- So many of the first bytes tell a file from others.
local MARK = 256
-- So many rotated files are looked through for the one that was being read.
local ROTATED_MAX = 100
-- Longer lines of compressed files are cut.
local GZ_LINE_MAX = 1048576
-- Rotated files that cannot be read.
local UNREADABLE = { bz2 = true, xz = true, zst = true }

local function inode_of(path)
    local ino = attributes(path, "ino")
    return ino and format("%.0f", ino)
end

local function number_of(path)
    return tonumber(match(path, "%.(%d+)$") or match(path, "%.(%d+)%.gz$"))
end

-- Whether `a` was written to before `b`; in one second the numbers of ".2" and ".1" say it.
local function is_older(a, b)
    if a.time ~= b.time then return a.time < b.time end
    local n, m = number_of(a.path), number_of(b.path)
    return n and m and n > m or false
end

-- The files that `path` was rotated to, oldest first.
local function rotated_files(path)
    local folder, name = match(path, "^(.*)/([^/]*)$")
    if not folder then folder, name = ".", path end
    local files = {}
    for entry in dir(folder == "" and "/" or folder) do
        local prefix = sub(entry, 1, #name + 1)
        local ending = match(entry, "[^.]*$")
        if (prefix == name .. "." or prefix == name .. "-") and not UNREADABLE[ending] then
            local file = { path = folder .. "/" .. entry, is_gz = ending == "gz" }
            file.inode, file.time = inode_of(file.path), attributes(file.path, "modification")
            if file.inode and file.time then files[#files + 1] = file end
            if #files >= ROTATED_MAX then break end
        end
    end
    sort(files, is_older)
    return files
end

-- The first bytes of a compressed file's text, and whether it has as many as `place`.
local function gz_head(path, length, place)
    local file = open_gz(path)
    if not file then return nil end
    local ok, head = pcall(function()
        local pieces, n = {}, 0
        for line in file:lines(MARK) do
            pieces[#pieces + 1] = line
            n = n + #line
            if n >= length then break end
        end
        if file:seek("set", place) ~= place then return nil end
        return sub(concat(pieces), 1, length)
    end)
    file:close()
    return ok and head or nil
end

local function plain_head(path, length, place)
    local file = io.open(path, "rb")
    if not file then return nil end
    local head = file:read(length)
    local size = file:seek("end")
    file:close()
    return size >= place and head or nil
end

function new(path, options)
    local delimiter, record_max, hand_over = options.delimiter, options.record_max, options.hand_over
    local fh, inode, place          -- the open file, its inode, and the place of the first byte not handed over
    local mark_length, mark = 0, 0  -- the hash of its first bytes
    local looked = false            -- whether the file was looked for before, so that one that comes later is new as a whole

    local function hash_of(length)
        fh:seek("set", 0)
        local head = length > 0 and fh:read(length) or ""
        return #head == length and h32(head) or nil
    end

    -- What tells the file from others grows with it.
    local function renew_mark()
        if mark_length == MARK then return end
        local length = min(fh:seek("end"), MARK)
        local hash = hash_of(length)
        if hash then mark_length, mark = length, hash end
    end

    local function open(file_path, at)
        local file = io.open(file_path, "rb")
        if not file then return false end
        fh, inode, place = file, inode_of(file_path), at
        mark_length, mark = 0, 0
        renew_mark()
        return true
    end

    -- Opens the file itself. From now on it is known by what it begins with.
    local function open_newest(at)
        if not open(path, at) then return false end
        options.moved()
        return true
    end

    local function close()
        fh:close()
        fh = nil
    end

    -- Hands over whole records of what `read` returns until nil; `rest` says that what remains is one too.
    local function consume(read, rest)
        local buffer, base = "", place
        while is_running() do
            local chunk = read()
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
                hand_over(sub(buffer, at, from - 1))
                place = base + to
                at = to + 1
            end
            if at > 1 then
                if fh then
                    renew_mark()
                    fh:seek("set", base + #buffer)
                end
                options.moved()
            end
            buffer, base = sub(buffer, at), base + at - 1
        end
        if rest and #buffer > 0 and is_running() then
            hand_over(buffer)
            place = base + #buffer
            options.moved()
        end
    end

    local function read_on(rest)
        fh:seek("set", place)
        consume(function() return fh:read(CHUNK) end, rest)
    end

    local function read_gz(file, at)
        local gz = open_gz(file.path)
        if not gz then return print("cannot open", file.path) end
        inode, place = file.inode, at
        mark_length = min(at, MARK)
        mark = mark_length > 0 and h32(gz_head(file.path, mark_length, at) or "") or 0
        gz:seek("set", at)
        local ok, err = pcall(consume, gz:lines(GZ_LINE_MAX), true)
        gz:close()
        if not ok then print("a compressed file was not read to its end", file.path, err) end
    end

    local function read_whole(file, at)
        if file.is_gz then return read_gz(file, at) end
        if open(file.path, at) then
            read_on(true)
            close()
        end
    end

    -- Which of the rotated files is the one with this inode, or has begun with the same bytes.
    local function find_file(files, ino, length, hash, at)
        local function is_same(file)
            if length == 0 then return false end
            local head = (file.is_gz and gz_head or plain_head)(file.path, length, at)
            return head and #head == length and h32(head) == hash
        end
        for i, file in ipairs(files) do
            if file.inode == ino and (length == 0 or is_same(file)) then return i end
        end
        for i, file in ipairs(files) do
            if not file.is_gz and is_same(file) then return i end
        end
        for i, file in ipairs(files) do
            if file.is_gz and is_same(file) then return i end
        end
    end

    -- Reads the rest of what was rotated away, and all that was rotated after it.
    local function read_rotated(ino, at, length, hash, only_one)
        local files = rotated_files(path)
        local first = find_file(files, ino, length, hash, at)
        if not first then return end
        for i = first, only_one and first or #files do
            if not is_running() then return end
            -- Both a file and what it is compressed to may be there for a while.
            local next_file = files[i + 1]
            local twice = next_file and (next_file.path == files[i].path .. ".gz" or next_file.path .. ".gz" == files[i].path)
            if not (twice and i > first and files[i].is_gz) then read_whole(files[i], i == first and at or 0) end
        end
    end

    -- Goes on from the checkpoint: in the file itself, or in rotated ones first.
    local function resume(checkpoint)
        local current = inode_of(path)
        local ino, at, length, hash = match(checkpoint or "", "^(%d+):(%d+):?(%d*):?(%d*)$")
        at, length, hash = tonumber(at) or 0, tonumber(length) or 0, tonumber(hash) or 0
        local first_look = not looked
        looked = true
        if ino and current == ino and open(path, at) then
            if length == 0 or hash_of(length) == hash then return true end
            -- Another file with the number of the old one, or a truncated one.
            close()
            read_rotated("", at, length, hash)
            at = 0
        elseif ino then
            read_rotated(ino, at, length, hash)
            at = 0
        elseif options.newest and first_look and current then
            at = attributes(path, "size")
        end
        return current and is_running() and open_newest(at)
    end

    -- Whether another file has taken the name, and its writer has begun to use it.
    local function is_replaced()
        local current = inode_of(path)
        return current and current ~= inode and attributes(path, "size") > 0
    end

    local self = {}

    function self.look(checkpoint)
        if not fh and not resume(not looked and checkpoint or nil) then return end
        if fh:seek("end") < place or (mark_length > 0 and hash_of(mark_length) ~= mark) then
            -- Truncated: a copy that was made before has what was not read yet.
            local truncated, was_at, length, hash = fh, place, mark_length, mark
            fh = nil
            read_rotated("", was_at, length, hash, true)
            truncated:close()
            if not is_running() or not open_newest(0) then return end
        end
        local replaced = is_replaced()
        read_on(replaced)
        if not (replaced and is_running()) then return end
        local old, was_at, length, hash = inode, place, mark_length, mark
        close()
        -- Others may have come and gone between two looks.
        read_rotated(old, was_at, length, hash)
        if is_running() and open_newest(0) then read_on(false) end
    end

    function self.checkpoint()
        return inode and format("%s:%.0f:%d:%d", inode, place, mark_length, mark)
    end

    function self.is_gone()
        return looked and not inode_of(path) and (not fh or fh:seek("end") <= place)
    end

    return self
end

return M
