-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Any table to Fields: what a parser found becomes Fields, nested tables flattened

The record is parsed by a function or a grammar of any module. The values of the table become Fields, those of nested
tables under the joined keys on the way to them. The headers, and Fields that the record lacks, are the default ones.

## Configuration

```lua
decoder_module = "decoders.heka.table_to_fields"
decoders_heka_table_to_fields = {
    module_name     = "cjson",
    module_function = "decode", -- or module_grammar, see modules/record_parser.lua
    -- separator = ".",         -- joins the keys
    -- max_depth = 5,           -- from this depth on a table becomes its JSON text; default no limit
}
```
--]]

local fill            = require "default_headers".fill
local table_to_fields = require "heka.util".table_to_fields

local inject_message = inject_message

local cfg = read_config("decoders_heka_table_to_fields") or {}
assert(type(cfg) == "table", "decoders_heka_table_to_fields must be a table")
local parse = require "record_parser".new(cfg, "decoders_heka_table_to_fields")

local M = {}
setfenv(1, M)

function decode(data, default_headers, mutable)
    local t = parse(data)
    if not t then return "parse failed" end
    local msg = { Fields = {} }
    table_to_fields(t, msg.Fields, nil, cfg.separator, cfg.max_depth)
    fill(msg, default_headers)
    inject_message(msg)
end

return M
