-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Elasticsearch encoder: headers and Fields are the document

One object with the headers by their names (Timestamp as text to the millisecond, Uuid as text) and beside them the
Fields, single values as they are and several as an array. A Field with the name of a header replaces it.

## Configuration

```lua
encoder_module = "encoders.elasticsearch.mozlog"
encoders_elasticsearch_common = {} -- see encoders/elasticsearch/common.lua
```

`encode()` returns both lines; it raises an error for a message that JSON has no form for (a number that is none).
--]]

local cjson = require "cjson"
local es    = require "encoders.elasticsearch.common"
local mi    = require "heka.msg_interpolate"

local encode_json = cjson.encode
local decode_message, ipairs, read_message = decode_message, ipairs, read_message
local cfg = es.load_encoder_cfg()

local M = {}
setfenv(1, M)

function encode()
    local doc = decode_message(read_message("raw"))
    local ns = cfg.es_index_from_timestamp and doc.Timestamp or nil
    local index = es.bulkapi_index_json(cfg.index, cfg.type_name, cfg.id, ns)

    local fields = doc.Fields or {}
    doc.Fields = nil
    doc.Timestamp = mi.get_timestamp_ms(doc.Timestamp)
    doc.Uuid = mi.get_uuid(doc.Uuid)
    for _, field in ipairs(fields) do
        local value = field.value
        if #value == 1 then value = value[1] end
        doc[field.name] = value
    end
    return index .. "\n" .. encode_json(doc) .. "\n"
end

return M
