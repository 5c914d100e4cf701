-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Schema registry: JSON Schemas from a folder, compiled once and again when they change

`root/<folder>/<docType>/<docType>.<version>.schema.json`, where the folder is a namespace, or left out. A schema is read
when the first document needs it. Once a minute its file is looked at; when it has changed it is compiled again, without a
restart. A changed schema that is none is told in the log, and the one before stays in use. The draft is what `$schema` says.

## Functions

`registry = schemas.new(root [, interval])` makes a registry; `interval` is how many seconds a file is not looked at again,
60 by default. Error: root is no directory.

`schema, reason = registry:find(folder, doc_type, version)` returns a schema for `document:validate` of rjson, or nil and
`schema not found` or `schema cannot be used: why`. `folder` may be nil.

```lua
local registry = require "moz_ingest.schemas".new("/schemas/json")
local schema, reason = registry:find("telemetry", "main", 4)
```
--]]

local io     = require "io"
local lfs    = require "lfs"
local os     = require "os"
local rjson  = require "rjson"
local string = require "string"

local attributes, time, format, find = lfs.attributes, os.time, string.format, string.find
local assert, pcall, print, setmetatable, tonumber, type = assert, pcall, print, setmetatable, tonumber, type

local M = {}
setfenv(1, M)

local INTERVAL    = 60   -- seconds
local VERSION_MAX = 1e9  -- versions above cannot be written as they are

local Registry = {}
Registry.__index = Registry

function new(root, interval)
    assert(attributes(root, "mode") == "directory", format("%s is no directory", root))
    return setmetatable({ root = root, interval = interval or INTERVAL, known = {} }, Registry)
end

-- Names come from clients: nothing that leads to another folder is one.
local function is_name(name)
    return type(name) == "string" and #name <= 128 and find(name, "^[%w_][%w_.-]*$") ~= nil
end

local function path_of(root, folder, doc_type, version)
    version = tonumber(version)
    if not is_name(doc_type) or not version or version < 0 or version > VERSION_MAX or version % 1 ~= 0 then return nil end
    if folder ~= nil then
        if not is_name(folder) then return nil end
        root = root .. "/" .. folder
    end
    return format("%s/%s/%s.%d.schema.json", root, doc_type, doc_type, version)
end

-- What changes when the file does; nil when there is none.
local function stamp_of(path)
    local found = attributes(path)
    if not found or found.mode ~= "file" then return nil end
    return format("%d %d %d", found.modification, found.size, found.ino)
end

local function compile(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    return rjson.parse_schema(text)
end

local function load(entry, path)
    local ok, schema = pcall(compile, path)
    if ok then
        if entry.schema then print("schema loaded again", path) end
        entry.schema, entry.reason = schema, nil
    elseif entry.schema then
        print("the changed schema cannot be used, the one before stays", path, schema)
    else
        entry.reason = "schema cannot be used: " .. schema
        print(path, entry.reason)
    end
end

function Registry:find(folder, doc_type, version)
    local path = path_of(self.root, folder, doc_type, version)
    if not path then return nil, "schema not found" end
    local entry, now = self.known[path], time()
    if entry and now >= entry.looked and now < entry.looked + self.interval then return entry.schema, entry.reason end
    local stamp = stamp_of(path)
    if not stamp then
        self.known[path] = nil -- only files that are there are remembered: clients cannot fill the memory with names
        return nil, "schema not found"
    end
    if not entry then
        entry = {}
        self.known[path] = entry
    end
    entry.looked = now
    if entry.stamp ~= stamp then
        entry.stamp = stamp
        load(entry, path)
    end
    return entry.schema, entry.reason
end

return M
