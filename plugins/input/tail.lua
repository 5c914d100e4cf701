-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Tail input: follows growing files through rotation, truncation and compression

Every `ticker_interval` it reads what was appended and hands each line to a decoder. The checkpoint says how much of which
file was handed over, so after a restart nothing is left out; after a crash the last lines may come twice.

- A file that was renamed away and made anew (rotation): the old file is read on until the new one has content,
  because its writer may not have noticed yet; then the new one from its begin. If more files came and went in between,
  or while the engine did not run, the rotated files `NAME.*` and `NAME-*` are read that are as new as the one that was
  being read, oldest first; those that gzip has compressed too.
- A file that became shorter, or begins with other bytes (truncation): what was not read yet is read from the copy that was
  made before, if there is one, then the file from its begin. (Lines that are written between copying and truncating
  are lost by the rotation itself. A file that begins with the same 256 bytes and has grown beyond its old length between
  two looks cannot be told from one that only grew.)
- A last line without its end waits for the rest.
- A file that does not exist yet is waited for.
- With `*` or `?` in its last part `input_filename` stands for all files with such names, new ones too. A pattern should
  not fit the names of rotated files.

## Sample configuration

```lua
filename        = "tail.lua"
instruction_limit = 0   -- one call reads all that there is
input_filename  = "/var/log/syslog" -- or "/var/log/nginx/*.log"
ticker_interval = 1
-- start = "oldest"       -- without a checkpoint: "oldest" reads the whole file, "newest" only what comes
-- files_max = 100        -- files that are followed at a time, at most 140
-- file_field = "file"    -- name of a Field with the name of the file; none by default
-- delimiter = "\n"
-- record_max = 65536     -- a longer line is cut there
-- send_decode_failures = true -- what cannot be decoded is kept
-- decoder_module, default_headers: see modules/decoding.lua
```
--]]

require "string"
require "table"
local lfs      = require "lfs"
local xxhash   = require "xxhash"
local follower = require "follower"
local decode   = require "decoding".new()

local input_filename = read_config("input_filename") or error("input_filename must be set")
local start          = read_config("start") or "oldest"
local files_max      = read_config("files_max") or 100
local file_field     = read_config("file_field")

-- More places do not fit into a checkpoint.
local FILES_MAX = 140
-- Looks after which a file that was removed is forgotten.
local GONE_MAX = 60

assert(read_config("ticker_interval") > 0, "ticker_interval must be set: the file is looked at that often")
assert(start == "oldest" or start == "newest", "start must be 'oldest' or 'newest'")
assert(files_max > 0 and files_max <= FILES_MAX, "files_max must be 1 to " .. FILES_MAX)

local folder, name = string.match(input_filename, "^(.*/)([^/]*)$")
if not folder then folder, name = "", input_filename end
local is_pattern = string.find(name, "[*?]") ~= nil
assert(not string.find(folder, "[*?]"), "input_filename: only the last part may be a pattern")

-- The pattern for the string library.
local wanted = "^" .. string.gsub(string.gsub(name, "[%^%$%(%)%%%.%[%]%+%-]", "%%%0"), "[*?]", { ["*"] = ".*", ["?"] = "." }) .. "$"

local files, n_files = {}, 0 -- by the key of the name in the checkpoint
local places                 -- the places of files that were not looked at yet, from the checkpoint
local failures, full = 0, false

-- One file's place alone, or lines of names and places.
local function checkpoint()
    if not is_pattern then return files[1].follower.checkpoint() end
    local lines = {}
    for key, file in pairs(files) do
        local place = file.follower.checkpoint() or places[key]
        if place then lines[#lines + 1] = key .. " " .. place end
    end
    return table.concat(lines, "\n")
end

local function moved()
    inject_message(nil, checkpoint())
end

local function follow(path, key, is_new)
    local headers = file_field and { Fields = { [file_field] = path } } or nil
    local options = {
        delimiter  = read_config("delimiter") or "\n",
        record_max = read_config("record_max") or 65536,
        newest     = start == "newest" and not is_new,
        moved      = moved,
    }
    function options.hand_over(record)
        local ok, err = decode(record, headers)
        if not ok then
            failures = failures + 1
            print("line not decoded", err)
        end
    end
    files[key] = { follower = follower.new(path, options), gone = 0, path = path }
    n_files = n_files + 1
end

-- Follows the files that the pattern fits and that are not followed yet, in the order of their names.
local function find_files(is_first)
    local names = {}
    for entry in lfs.dir(folder == "" and "." or folder) do
        if string.find(entry, wanted) and lfs.attributes(folder .. entry, "mode") == "file" then names[#names + 1] = entry end
    end
    table.sort(names)
    for _, entry in ipairs(names) do
        local key, path = string.format("%08x", xxhash.h32(entry)), folder .. entry
        if not files[key] then
            if n_files >= files_max then
                if not full then print("more files than files_max", path) end
                full = true
                return
            end
            follow(path, key, not is_first)
        elseif files[key].path ~= path then
            print("two names have the same hash; the second is not followed", path)
        end
    end
end

local function read_places(text)
    places = {}
    for key, place in string.gmatch(text or "", "(%x+) ([%d:]+)") do places[key] = place end
end

local function look_at_all(text)
    if not places then
        read_places(text)
        find_files(text == nil)
    else
        find_files(false)
    end
    for key, file in pairs(files) do
        if not is_running() then return end
        file.follower.look(places[key])
        places[key] = nil
        file.gone = file.follower.is_gone() and file.gone + 1 or 0
        if file.gone > GONE_MAX then
            files[key] = nil
            n_files, full = n_files - 1, false
        end
    end
end

if not is_pattern then follow(input_filename, 1, false) end

function process_message(text)
    failures = 0
    if is_pattern then look_at_all(text) else files[1].follower.look(text) end
    if failures > 0 then return -1, string.format("%d lines were not decoded", failures) end
    return 0
end
