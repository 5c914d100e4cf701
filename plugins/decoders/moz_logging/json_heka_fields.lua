-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# JSON Fields: one message per line, whose JSON object is the Fields

Each line of the data is a JSON object of names and values; a value may be a table with `value`, `value_type` and
`representation`, as a message table has it:

    {"path":"/v1","code":200,"size":{"value":5,"value_type":2,"representation":"B"}}

Headers, and Fields that the line lacks, come from the default headers. A message that cannot be injected becomes one of
Type "error" whose Payload is the reason and whose Fields.data is the line. So does a line that is no JSON, when the
configuration says so; otherwise it is left out.

## Configuration

```lua
decoder_module = "decoders.moz_logging.json_heka_fields"
decoders_moz_logging_json_heka_fields = { keep_others = true } -- default false
```

`decode(data, default_headers)` returns nothing.
--]]

local fill       = require "default_headers".fill
local json_lines = require "moz_logging.json_lines"

local inject_message = inject_message

local cfg = read_config("decoders_moz_logging_json_heka_fields") or {}

local M = {}
setfenv(1, M)

decode = json_lines.decoder(cfg, function(fields, default_headers)
    local msg = { Fields = fields }
    fill(msg, default_headers)
    inject_message(msg)
end)

return M
