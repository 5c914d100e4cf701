-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Parquet lake: messages into Parquet files, sorted by partition

Each message becomes a row: of the message itself, or of the JSON documents in it, taken apart by a schema of parquet-mr (see
`lpeg.parquet`). The dimensions of a message say into which file it goes: `name=value+name=value`, where the pluses become
folders in the lake, so that Hive, Spark, Trino and DuckDB see partitions.

Files grow in `batch_dir`, which is for this plugin alone. When the first row that is not delivered yet becomes as old as
`max_file_age`, when `max_rows_waiting` rows are not delivered, and at a stop, all of them are finished, a journal says which messages they hold, and they get their name for
good: `<dimensions>+<time>_<number>_<host>.done`. Only then the plugin says that their messages are delivered. With `store` they
are carried into it as `<dimensions>/<time>_<number>_<host>_<plugin>.parquet` and removed here; that is tried without end, over
restarts too. After a crash what was not finished is removed, and messages that come again though the journal has them are left
out: whenever the program is killed, each message is in the lake once. A file that has reached `max_file_size`, or has as many
row groups as one may have, takes no more rows and waits for its name.

Small files become large ones with `foresight compact` (see `plugins/reference/parquet.md`).

A message that does not fit (no JSON, a column of another type, a missing required column) is answered with -1 and the
reason, which names the column; with `dead_letter = true` it goes with the reason to the errors, as bytes that can be
processed again. It never stops the plugin, and never leaves half a row. When the disk is full, messages wait.

Rows are in memory until their row group is written; when all of them together take more than `max_memory`, the largest become
row groups early. A writer without rows takes about 400 bytes, one of 50 columns with a first row 8,500, and no file is open
but while a row group is written: 1,000 partitions of 50 columns work within `memory_limit = 16 * 1024 * 1024`, with
`max_writers = 0` (`cargo test -p foresight-modules --test it -- parquet` measures it). Row groups are small then.

## Sample configuration

```lua
filename        = "s3_parquet.lua"
message_matcher = "Type == 'telemetry' && Fields[docType] == 'main'"
ticker_interval = 60
preserve_data   = false
dead_letter     = true

parquet_schema = [=[
message main {
  required binary id (UTF8);
  optional binary clientId (UTF8);
  required group metadata {
    required int64 Timestamp;
    required binary submissionDate (UTF8);
  }
  optional group environment {
    optional group system { optional int64 memoryMB; }
  }
}
]=]
-- parquet_schema_file = "main.parquetmr.txt" -- instead of parquet_schema

-- The group of the schema whose columns are headers and fields of the message.
metadata_group = "metadata"
-- Or: columns of the message itself that begin so are headers and fields, by the rest of their names.
-- metadata_prefix = "md_"

-- Where in the message JSON lies: the first is the root of the record, the others are put into it under their names.
-- A table as the first is a root of its own. { "Fields[submission]", "*" } puts all fields that hold JSON under the root.
-- Without it, the schema describes the message itself: its headers, and a group Fields.
json_objects = { "Fields[submission]", "Fields[environment.system]" }
-- json_decode_null = true -- null is a value that replaces others, instead of nothing

s3_path_dimensions = {
    { name = "submission_date", source = "Fields[submissionDate]" },
    -- { name = "hour", source = "Timestamp", dateformat = "%Y-%m-%d-%H", scaling_factor = 1e-9 },
    -- { name = "memory", source = { "environment", "system", "memoryMB" } }, -- from the record
}

batch_dir = "/var/tmp/parquet"

-- store             = "s3://bucket/lake"  -- or a folder; without one the files stay in batch_dir as <name>.done
-- store_options     = {                   -- see plugins/reference/object_store.md
--     endpoint = "http://127.0.0.1:9000", credentials = "file:/run/secrets/s3",
-- }
-- max_writers       = 100               -- files that grow at once; the one not used for longest is finished; 0: no limit
-- max_rowgroup_size = 10000             -- rows of a row group
-- max_file_size     = 1024 * 1024 * 300 -- bytes; looked at after each row group
-- max_file_age      = 60 * 60           -- seconds
-- max_rows_waiting  = 0                 -- rows of all files after which they are finished though not old; 0: no limit
-- max_memory        = memory_limit / 2  -- bytes of rows in memory
-- hive_compatible   = false             -- snake_case names of columns, Hive's name for missing dimensions
-- compression       = "zstd"            -- or uncompressed, snappy, gzip, brotli, lz4
-- sync              = true              -- false: files count as delivered before they are on the disk itself
```
--]]

require "io"
require "math"
require "os"
require "string"
require "table"
local lfs          = require "lfs"
local object_store = require "object_store"
local parquet      = require "parquet"
local load_schema  = require "lpeg.parquet".load_parquet_schema

local function required(key) return read_config(key) or error(key .. " must be specified") end

local hindsight_admin = read_config("hindsight_admin")
local logger          = string.gsub(read_config("Logger"), "[^%w%-_.]", "_")
local metadata_group  = read_config("metadata_group")
local json_objects    = read_config("json_objects")
local dimensions      = required("s3_path_dimensions")
local batch_dir       = required("batch_dir")
local max_writers     = read_config("max_writers") or 100
local max_rows        = read_config("max_rowgroup_size") or 10000
local max_file_size   = read_config("max_file_size") or 1024 * 1024 * 300
local max_file_age    = read_config("max_file_age") or 60 * 60
local max_waiting     = read_config("max_rows_waiting") or 0
local hive_compatible = read_config("hive_compatible")
local store           = read_config("store")
local sync            = read_config("sync") ~= false
local properties      = { created_by = "foresight", compression = read_config("compression") or "zstd" }
local missing         = hive_compatible and "__HIVE_DEFAULT_PARTITION__" or "UNKNOWN"

parquet.budget(read_config("max_memory"))

if metadata_group and not json_objects then error("metadata_group cannot be configured without json_objects") end

local cjson
if json_objects then
    cjson = require "cjson"
    if read_config("json_decode_null") then cjson.decode_null(true) end
end

local function read_schema()
    local text = read_config("parquet_schema")
    if text then return text end
    if hindsight_admin then error("parquet_schema must be specified") end
    local file = assert(io.open(required("parquet_schema_file")))
    text = file:read("*a")
    file:close()
    return text
end

local schema, load_metadata =
    load_schema(read_schema(), hive_compatible, metadata_group, read_config("metadata_prefix"))

-- ---- Files ----

local writers     = {}  -- growing files by their dimensions
local n_writers   = 0
local finished    = {}  -- dimensions of whole files that wait for their last names, by their names
local uses        = 0
local name_number = 0
local waiting     = 0   -- rows that are not delivered yet
local first_time        -- when the first row came that is not delivered yet
local spool

local part_ending = "+" .. logger .. ".part"

local function make_folder(path)
    local made = string.sub(path, 1, 1) == "/" and "/" or ""
    for part in string.gmatch(path, "[^/]+") do
        made = made .. part
        if not lfs.attributes(made, "mode") then assert(lfs.mkdir(made)) end
        made = made .. "/"
    end
end

local function path_of(name) return string.format("%s/%s", batch_dir, name) end

-- The file takes no more rows; true, or false and why the system refused.
local function finish(writer)
    local ok, err = pcall(writer.file.close, writer.file, sync)
    if not ok then return false, err end
    writers[writer.path] = nil
    n_writers = n_writers - 1
    finished[writer.name] = writer.path
    return true
end

local function least_used()
    local found
    for _, writer in pairs(writers) do
        if not found or writer.used < found.used then found = writer end
    end
    return found
end

local function get_writer(path)
    local writer = writers[path]
    if not writer then
        if max_writers ~= 0 and n_writers >= max_writers then
            local ok, err = finish(least_used())
            if not ok then return nil, err end
        end
        -- A file of these dimensions may wait for its name.
        name_number = name_number + 1
        local name = string.format("%d%s", name_number, part_ending)
        local ok, file = pcall(parquet.writer, path_of(name), schema, properties)
        if not ok then return nil, file end
        writer = { path = path, name = name, file = file, rows = 0, used = 0 }
        writers[path] = writer
        n_writers = n_writers + 1
    end
    uses = uses + 1
    writer.used = uses
    return writer
end

-- Finishes all files and gives them their names; from then on their messages are delivered.
local function commit()
    for _, writer in pairs(writers) do
        local ok, err = finish(writer)
        if not ok then return false, err end
    end
    if spool then
        local ok, err = spool:keep(finished)
        if not ok then return false, err end
    else
        for name in pairs(finished) do
            local ok, err = os.rename(path_of(name), path_of(logger .. ".parquet"))
            if not ok then return false, err end
        end
    end
    first_time, finished, waiting = nil, {}, 0
    update_checkpoint()
    return true
end

-- ---- Records ----

-- The value at a path in the record, as text; nil for tables and nothing.
local function value_at(record, path)
    local value = record
    for _, key in ipairs(path) do
        if type(value) ~= "table" then return nil end
        value = value[key]
    end
    local kind = type(value)
    if kind == "string" or kind == "number" or kind == "boolean" then return value end
    return nil
end

-- The dimensions of the message as the beginning of a file's name; nil and the reason if one is no time.
local function partition(record)
    local parts = {}
    for i, dimension in ipairs(dimensions) do
        local source, value = dimension.source, nil
        if type(source) == "string" then value = read_message(source) else value = value_at(record, source) end
        if value ~= nil and dimension.dateformat then
            local number = tonumber(value)
            if not number then return nil, string.format("dimension '%s' is no time: %s", dimension.name, tostring(value)) end
            local ok, text = pcall(os.date, dimension.dateformat, number * (dimension.scaling_factor or 1e-9))
            if not ok then return nil, string.format("dimension '%s' is no time: %s", dimension.name, tostring(value)) end
            value = text
        end
        value = value == nil and missing or tostring(value)
        if value == "" then value = missing end
        value = string.gsub(value, "[^%w!%-_.*'()]", "-")
        parts[i] = dimension.name .. "=" .. value
    end
    return table.concat(parts, "+")
end

local function copy(value)
    if type(value) ~= "table" then return value end
    local new = {}
    for key, item in pairs(value) do new[key] = copy(item) end
    return new
end

-- Puts a document into the record under a name with dots; nil and the reason if something else lies in its way.
local function put(record, name, document)
    local last
    for key in string.gmatch(name, "[^.]+") do
        if last then
            if record[last] == nil then record[last] = {} end
            record = record[last]
            if type(record) ~= "table" then return nil, string.format("'%s' does not go into the record", name) end
        end
        last = key
    end
    if last then record[last] = document end
    return true
end

local function field_name(variable) return string.match(variable, "^Fields%[([^%]]*)%]$") end

local function decode(variable)
    local text = read_message(variable)
    if type(text) ~= "string" then return nil, variable .. " is missing" end
    local ok, document = pcall(cjson.decode, text)
    if not ok then return nil, document end
    if type(document) ~= "table" then return nil, variable .. " is no JSON object" end
    return document
end

-- The record of the documents that the configuration names.
local function load_selected()
    local root
    for i, variable in ipairs(json_objects) do
        local document, err
        if i == 1 and type(variable) == "table" then
            document = copy(variable)
        else
            document, err = decode(variable)
            if not document then return nil, err end
        end
        if root then
            local ok, err = put(root, field_name(variable) or variable, document)
            if not ok then return nil, err end
        else
            root = document
        end
    end
    return root
end

-- The record of the root and all fields that hold JSON.
local function load_all()
    local root, err = decode(json_objects[1])
    if not root then return nil, err end
    local ok, message = pcall(decode_message, read_message("raw"))
    if not ok then return nil, message end
    local name = field_name(json_objects[1])
    for _, field in ipairs(message.Fields or {}) do
        if field.representation == "json" and field.name ~= name then
            local ok, document = pcall(cjson.decode, field.value[1])
            if not ok then return nil, document end
            ok, err = put(root, field.name, document)
            if not ok then return nil, err end
        end
    end
    return root
end

local load_record = load_selected
if json_objects and type(json_objects[1]) == "string" and json_objects[2] == "*" then load_record = load_all end

-- ---- The plugin ----

make_folder(batch_dir)
-- A plugin that is tried in the web UI leaves one file, and no journal.
if not hindsight_admin then
    spool = object_store.spool {
        dir    = batch_dir,
        frames = "none",
        sync   = sync,
        store  = store and object_store.open(store, read_config("store_options")),
        part   = part_ending,
        ending = store and "_" .. logger .. ".parquet" or nil,
    }
end

-- The row in its writer; or false, the answer for the message, and why.
local function add_row(path, record)
    local writer, err = get_writer(path)
    if not writer then return false, -3, err end
    local file, ok = writer.file, nil
    if record then
        ok, err = pcall(file.dissect_record, file, record)
    else
        ok, err = pcall(file.dissect_message, file)
    end
    if not ok then
        -- A writer that could not write names its file; anything else is about the message.
        local answer = string.sub(err, 1, #batch_dir + 1) == batch_dir .. "/" and -3 or -1
        return false, answer, err
    end
    writer.rows = writer.rows + 1
    return writer
end

-- Writes a row group that has its size; finishes a file that has its own. What the disk refuses stays and is tried again with
-- the next rows.
local function settle(writer)
    if writer.rows >= max_rows then
        writer.rows = 0
        pcall(writer.file.write_rowgroup, writer.file)
    end
    local groups, groups_max = writer.file:rowgroups()
    if groups >= groups_max or writer.file:size() >= max_file_size then finish(writer) end
end

function process_message()
    local record, err
    if json_objects then
        record, err = load_record()
        if not record then return -1, err end
        if load_metadata then load_metadata(record) end
    end
    local path, err = partition(record)
    if not path then return -1, err end
    if spool then
        if not spool:fits(path) then return -1, "filename too long: " .. path end
        if spool:is_known() then
            first_time = first_time or os.time()
            return -4
        end
    end
    local writer, answer, err = add_row(path, record)
    if not writer then return answer, err end
    if spool then spool:note() end
    first_time = first_time or os.time()
    waiting = waiting + 1
    settle(writer)
    -- What cannot be finished now is at the next message or tick.
    if max_waiting > 0 and waiting >= max_waiting then commit() end
    return -4
end

function timer_event(ns, shutdown)
    if first_time and (shutdown or os.time() - first_time >= max_file_age) then
        local ok, err = commit()
        if not ok and shutdown then error(err) end
    end
    if not spool then return end
    spool:tick()
    if shutdown then spool:wait() end
end
