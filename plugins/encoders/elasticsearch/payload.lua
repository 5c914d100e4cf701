-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Elasticsearch encoder: the Payload is the document

The Payload has to be one line of JSON.

## Configuration

```lua
encoder_module = "encoders.elasticsearch.payload"
encoders_elasticsearch_common = {} -- see encoders/elasticsearch/common.lua
```

`encode()` returns both lines, or nil for a message without a Payload.
--]]

local string = require "string"
local es     = require "encoders.elasticsearch.common"

local byte = string.byte
local read_message = read_message
local cfg = es.load_encoder_cfg()

local M = {}
setfenv(1, M)

function encode()
    local payload = read_message("Payload")
    if not payload then return nil end
    local ns = cfg.es_index_from_timestamp and read_message("Timestamp") or nil
    local line_end = byte(payload, -1) == 10 and "" or "\n"
    return es.bulkapi_index_json(cfg.index, cfg.type_name, cfg.id, ns) .. "\n" .. payload .. line_end
end

return M
