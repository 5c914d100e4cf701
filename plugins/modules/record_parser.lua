-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Record parsers: the function or grammar that a decoder's configuration names

For decoders that let any module parse a record, so that only the shape of the result is theirs.

## Configuration

The keys in the table of the decoder, here `decoders.heka.table_to_fields`:

```lua
decoders_heka_table_to_fields = {
    module_name     = "cjson",
    module_function = "decode",    -- a function of the module, or else
    -- module_grammar = "grammar", -- an LPeg pattern of the module
}
```

## Functions

`parse = record_parser.new(cfg, name)` returns a function that takes a record and returns a table, or nil when it cannot
be parsed; it raises what the module's function raises. `name` stands in the errors about the configuration `cfg`.
--]]

local error, require, type = error, require, type

local M = {}
setfenv(1, M)

function new(cfg, name)
    if type(cfg.module_name) ~= "string" then error(name .. ".module_name must be the name of a module") end
    local module = require(cfg.module_name)
    local key = cfg.module_grammar or cfg.module_function
    local found = type(module) == "table" and key ~= nil and module[key] or nil
    local parse = found
    if cfg.module_grammar then
        local lpeg = require "lpeg"
        if lpeg.type(found) ~= "pattern" then error(name .. ".module_grammar must name an LPeg pattern of the module") end
        local match = lpeg.match
        parse = function(record) return match(found, record) end
    elseif type(found) ~= "function" then
        error(name .. ".module_function must name a function of the module")
    end

    return function(record)
        local result = parse(record)
        if type(result) == "table" then return result end
    end
end

return M
