-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Lake input: the messages of a Heka lake whose dimensions are wanted, or of a list of objects

Reads what `output/moz_telemetry_s3.lua` has written: objects whose folders are the values of dimensions. The dimensions
that are wanted stand in a file of the same form; those without a choice (one value, or a list) at its begin, and the range
that may follow them, choose what is listed at all. Or reads the keys of a list, in the list's order. The checkpoint is the
object and the place in it, so a restart goes on where it was. Gzip, zstd and framed snappy are decompressed.

## Sample configuration

```lua
filename       = "heka_s3.lua"
instruction_limit = 0   -- one call reads all that there is
s3_bucket      = "lake"
s3_prefix      = "telemetry"           -- with dimension_file: what the keys of the lake begin with
dimension_file = "dimensions.json"     -- which folders are read; see modules/moz_telemetry/s3.lua
-- s3_file_list   = "files.ls"         -- instead: a file with a key a line
-- store          = "/data/lake"       -- instead of s3_bucket: a folder, or s3://bucket/prefix
-- store_options  = {                  -- see plugins/reference/object_store.md
--     endpoint = "http://127.0.0.1:9000", credentials = "file:/run/secrets/s3",
-- }
-- matcher        = "Type == 'x'"      -- only messages that this message_matcher expression wants
-- from           = "2026-11-01"       -- by Timestamp, as are set_type and all other keys of heka_store.lua on messages
-- to             = "2026-11-02"
-- snappy_messages = false             -- true: each message may be compressed by itself, as in old lakes
```
--]]

require "io"
require "string"
require "table"
local mts3         = require "moz_telemetry.s3"
local object_store = require "object_store"
local store_reader = require "store_reader"

local bucket    = read_config("s3_bucket")
local address   = read_config("store") or bucket and "s3://" .. bucket or error("s3_bucket must be set")
local file_list = read_config("s3_file_list")
local prefix    = read_config("s3_prefix") or ""
local store     = object_store.open(address, read_config("store_options"))
local reader    = store_reader.new(store)

if prefix ~= "" then prefix = string.gsub(prefix, "/*$", "/") end

local dimensions = {}
if not file_list then
    dimensions = mts3.validate_dimensions(read_config("dimension_file") or error("s3_file_list or dimension_file must be set"))
end

-- The prefixes that the dimensions at the begin without a choice leave, in order, and the first dimension with one.
local function prefixes()
    local all, n = { prefix }, 1
    while dimensions[n] and (dimensions[n].matcher_type == "string" or dimensions[n].matcher_type == "list") do
        local values = dimensions[n].allowed_values
        if type(values) == "string" then values = { values } end
        local longer = {}
        for _, begin in ipairs(all) do
            for _, value in ipairs(values) do longer[#longer + 1] = begin .. value .. "/" end
        end
        all, n = longer, n + 1
    end
    table.sort(all)
    return all, dimensions[n]
end

local function is_wanted(key)
    local n = 0
    for value in string.gmatch(string.sub(key, #prefix + 1), "([^/]*)/") do
        n = n + 1
        if dimensions[n] and not dimensions[n].matcher(value) then return false end
    end
    return n >= #dimensions
end

-- Visits each wanted key behind a place, until the plugin has to end.
local function each_in_lake(after)
    local all, next_dimension = prefixes()
    for _, begin in ipairs(all) do
        local first, last = after, nil
        if next_dimension and next_dimension.matcher_type == "minmax" then
            local range = next_dimension.allowed_values
            if range.min and begin .. range.min > first then first = begin .. range.min end
            if range.max then last = begin .. range.max .. "/\255" end
        end
        for key in store:list(begin, first) do
            if last and key > last then break end
            if is_wanted(key) and not reader:visit(key) then return end
        end
    end
end

local function each_in_list(at)
    local is_behind = at == nil
    for key in io.lines(file_list) do
        if is_behind and key ~= "" and not reader:visit(key) then return end
        is_behind = is_behind or key == at
    end
end

function process_message(checkpoint)
    local at, place = store_reader.split(checkpoint)
    if at and not reader:visit(at, place) then return 0 end
    if file_list then
        each_in_list(at)
    else
        each_in_lake(at or "")
    end
    reader:pass_ends()
    return 0
end
