-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Circular buffers as tables: one file with tab-separated values for each

Turns the text form of a circular buffer into a table with a line of names and the time in front of each row, for spreadsheets and
plotting programs. The file is `output_dir/LOGGER.NAME.tsv`, replaced as a whole by each newer payload.

    {"time":1423440000,"rows":3,"columns":1,"seconds_per_row":60,"column_info":[{"name":"Users","unit":"count","aggregation":"sum"}]}
    33031
    33526
    nan

becomes

    Time (time_t)	Users (count)
    1423440000	33031
    1423440060	33526
    1423440120	nan

## Sample configuration

```lua
filename        = "cbuf2tsv.lua"
message_matcher = "Type == 'inject_payload' && Fields[payload_type] == 'cbuf'"
read_queue      = "analysis"
output_dir      = "/data/cbufs" -- default the engine's output_path
```

A payload that is no circular buffer, or one without all of its rows, is counted as a failure.
--]]

require "string"
require "table"
local append_file  = require "foresight.append_file"
local cjson        = require "cjson"
local payload_name = require "payload_name"

local output_dir = assert(read_config("output_dir") or read_config("output_path"), "output_dir must be specified")

-- Longest name of a payload in the name of a file, in bytes.
local NAME_MAX = 64

-- The first line as a table, or nil.
local function parse_header(line)
    local ok, header = pcall(cjson.decode, line)
    if ok and type(header) == "table" and type(header.time) == "number" and type(header.rows) == "number"
        and type(header.seconds_per_row) == "number" and type(header.column_info) == "table" then
        return header
    end
end

local function names(column_info)
    local found = { "Time (time_t)" }
    for i, column in ipairs(column_info) do
        if type(column) ~= "table" or not column.name or not column.unit then return nil end
        found[i + 1] = string.format("%s (%s)", tostring(column.name), tostring(column.unit))
    end
    return table.concat(found, "\t")
end

function process_message()
    local payload = read_message("Payload") or ""
    local first, place = string.match(payload, "^({.-\n)()")
    local header = first and parse_header(first)
    if not header then return -1, "malformed cbuf, no header" end
    local titles = names(header.column_info)
    if not titles then return -1, "invalid column_info" end

    local lines, n = { titles, "\n" }, 0
    for row in string.gmatch(string.sub(payload, place), "[^\n]*\n") do
        lines[#lines + 1] = string.format("%d\t", header.time + n * header.seconds_per_row)
        lines[#lines + 1] = row
        n = n + 1
    end
    if n ~= header.rows then
        return -1, string.format("incorrect number of rows expected: %d, received: %d", header.rows, n)
    end

    local logger, name = payload_name.of_message()
    local path = string.format("%s/%s.%s.tsv", output_dir, logger, string.sub(name, 1, NAME_MAX))
    local ok, err = append_file.write_whole(path, table.concat(lines))
    if not ok then return -1, err end
    return 0
end

function timer_event(ns, shutdown)
end
