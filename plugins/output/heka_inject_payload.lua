-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Payload output: the newest payload of each plugin in a file, circular buffers also as a graph

Writes every payload that an analysis plugin injects into `output_dir/LOGGER.NAME.TYPE`, which it replaces as a whole, so a reader
never sees half of it. For a circular buffer (type "cbuf") there is also a page that draws it, `graphs/LOGGER.NAME.html`. Serve the
directory by any web server. For payloads without graphs and without clean-up see `payload_files.lua`.

## Sample configuration

```lua
filename        = "heka_inject_payload.lua"
message_matcher = "Type == 'inject_payload'"
read_queue      = "analysis"
ticker_interval = 86400 -- how often files of analysis plugins that are gone are deleted
output_dir      = "/var/tmp/hindsight/payload"
```

A character of Logger or name that is no letter, digit or dot becomes "_"; of the type, each that is no letter or digit. Which
analysis plugins are there says the engine's utilization.tsv.
--]]

require "io"
require "os"
require "string"
local append_file  = require "foresight.append_file"
local cbuf_page    = require "cbuf_page"
local lfs          = require "lfs"
local payload_name = require "payload_name"

local output_path = read_config("output_path")
local output_dir  = read_config("output_dir") or "/var/tmp/hindsight/payload"
local graphs_dir  = output_dir .. "/graphs"

-- Makes a folder and those above it.
local function make_dir(path)
    for at in string.gmatch(path .. "/", "()/") do
        local above = string.sub(path, 1, at - 1)
        if above ~= "" and not lfs.attributes(above, "mode") then assert(lfs.mkdir(above)) end
    end
end
make_dir(graphs_dir)

local pages = {} -- file -> true where its page is written

local function write_page(logger, name, file)
    local title = string.format("%s [%s]", read_message("Logger") or "", read_message("Fields[payload_name]") or "")
    local path = string.format("%s/%s.%s.html", graphs_dir, logger, name)
    return append_file.write_whole(path, cbuf_page.html(title, "../" .. file))
end

function process_message()
    if type(read_message("Fields[payload_name]") or "") ~= "string" then return -1, "invalid payload_name" end
    if type(read_message("Fields[payload_type]")) ~= "string" then return -1, "invalid payload_type" end
    local logger, name, kind = payload_name.of_message()
    local file = string.format("%s.%s.%s", logger, name, kind)
    if kind == "cbuf" and not pages[file] then
        local ok, err = write_page(logger, name, file)
        if not ok then return -1, err end
        pages[file] = true
    end
    local ok, err = append_file.write_whole(output_dir .. "/" .. file, read_message("Payload") or "")
    if not ok then return -1, err end
    return 0
end

-- The names of the analysis plugins that run, as they begin the names of their files; nil if nobody knows.
local function active_plugins()
    local fh = io.open(output_path .. "/utilization.tsv")
    if not fh then return nil end
    local found = {}
    for line in fh:lines() do
        local name = string.match(line, "^(analysis%.[^\t]+)")
        if name then found[#found + 1] = payload_name.clean(name) .. "." end
    end
    fh:close()
    return #found > 0 and found or nil
end

local function is_active(file, plugins)
    for _, plugin in ipairs(plugins) do
        if string.sub(file, 1, #plugin) == plugin then return true end
    end
    return false
end

local function remove_inactive(dir, plugins)
    for file in lfs.dir(dir) do
        if string.find(file, "^analysis%.") and not is_active(file, plugins) then os.remove(dir .. "/" .. file) end
    end
end

function timer_event(ns, shutdown)
    if shutdown then return end
    local plugins = active_plugins()
    if not plugins then return end
    remove_inactive(output_dir, plugins)
    remove_inactive(graphs_dir, plugins)
    pages = {}
end
