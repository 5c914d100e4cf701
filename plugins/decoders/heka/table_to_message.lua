-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Any table to a message: what a parser found becomes headers and Fields, as a map says

The record is parsed by a function or a grammar of any module. Its values become headers and Fields; the map renames
them and changes their types, see `table_to_message` in modules/heka/util.lua. What the record lacks is taken from the
default headers.

## Configuration

```lua
decoder_module = "decoders.heka.table_to_message"
decoders_heka_table_to_message = {
    module_name    = "lpeg.logfmt",
    module_grammar = "grammar", -- or module_function, see modules/record_parser.lua
    map = {                     -- optional
        time = { header = "Timestamp" },
        len  = { field = "length", type = "int", representation = "B" },
    },
}
```
--]]

local fill             = require "default_headers".fill
local table_to_message = require "heka.util".table_to_message

local inject_message = inject_message

local cfg = read_config("decoders_heka_table_to_message") or {}
assert(type(cfg) == "table", "decoders_heka_table_to_message must be a table")
assert(cfg.map == nil or type(cfg.map) == "table", "cfg.map must be nil or a table")
local parse = require "record_parser".new(cfg, "decoders_heka_table_to_message")

local M = {}
setfenv(1, M)

function decode(data, default_headers, mutable)
    local t = parse(data)
    if not t then return "parse failed" end
    local msg = table_to_message(t, cfg.map)
    fill(msg, default_headers)
    inject_message(msg)
end

return M
