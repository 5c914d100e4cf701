-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Elasticsearch: the line before each document, and the configuration of its encoders

The bulk interface of Elasticsearch takes documents as pairs of lines; the first one says where the document goes.

## Configuration

```lua
encoders_elasticsearch_common = {
    -- index     = "heka-%{%Y.%m.%d}", -- where to; made lower case
    -- type_name = "message",
    -- id        = nil,                -- the document's identifier; default Elasticsearch makes one
    -- es_index_from_timestamp = false, -- true: times in these texts are the message's, otherwise now
}
```

The table must be there, even when it is empty. The texts are templates, see modules/heka/msg_interpolate.lua.

## Functions

`load_encoder_cfg()` checks this table and returns it with the defaults filled in.

`bulkapi_index_json(index, type_name, id, ns)` returns the first line, without its end. What is nil is left out; `ns` is
the time for the templates in nanoseconds, default now.

    {"index":{"_index":"heka-2026.03.11","_type":"message"}}
--]]

local cjson  = require "cjson"
local string = require "string"
local table  = require "table"
local interpolate = require "heka.msg_interpolate".interpolate

local concat, encode_json, lower = table.concat, cjson.encode, string.lower
local assert, read_config, type = assert, read_config, type

local M = {}
setfenv(1, M)

function load_encoder_cfg()
    local cfg = read_config("encoders_elasticsearch_common")
    assert(type(cfg) == "table", "encoders_elasticsearch_common must be a table")
    local function default(key, kind, value)
        if cfg[key] == nil then cfg[key] = value end
        assert(type(cfg[key]) == kind, key .. " must be nil or " .. (kind == "string" and "a string" or kind))
    end
    default("es_index_from_timestamp", "boolean", false)
    default("index", "string", "heka-%{%Y.%m.%d}")
    default("type_name", "string", "message")
    return cfg
end

function bulkapi_index_json(index, type_name, id, ns)
    local seconds = ns and ns / 1e9
    local parts = {}
    local function add(key, template)
        if template then
            parts[#parts + 1] = '"' .. key .. '":' .. encode_json(interpolate(template, seconds))
        end
    end
    -- The names of headers and Fields in the template keep their case.
    if index then parts[1] = '"_index":' .. encode_json(lower(interpolate(index, seconds))) end
    add("_type", type_name)
    add("_id", id)
    return '{"index":{' .. concat(parts, ",") .. "}}"
end

return M
