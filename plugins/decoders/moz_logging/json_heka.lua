-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Mozlog: service logs as JSON, one message per line

Each line of the data is a JSON object with the shape of a message, as Mozilla's services log it:

    {"Timestamp":145767775123456,"Type":"request.summary","Logger":"fxa","Hostname":"a1","EnvVersion":"2.0",
     "Severity":6,"Pid":1337,"Fields":{"agent":"curl/7.43","path":"/v1","code":200}}

- Its Logger gets the plugin's own in front: `input.tcp|fxa`. Its Type gets that of the default headers in front.
- A line without a Logger is any other JSON: all of it becomes Fields, nested keys joined with a dot; what is nested deeper
  than four levels becomes its JSON text.
- Fields.agent is taken apart into `user_agent_browser`, `user_agent_version` and `user_agent_os`.
- A message that cannot be injected becomes one of Type "error" whose Payload is the reason and whose Fields.data is
  the line. So does a line that is no JSON, when the configuration says so; otherwise such a line is left out, as services
  mix other text into their logs.

## Configuration

```lua
decoder_module = "decoders.moz_logging.json_heka"
decoders_moz_logging_json_heka = { keep_others = true } -- what is no JSON becomes an error message; default false
```

`decode(data, default_headers)` returns nothing.
--]]

local clf        = require "lpeg.common_log_format"
local json_lines = require "moz_logging.json_lines"
local util       = require "heka.util"

local inject_message = inject_message
local type           = type

local cfg    = read_config("decoders_moz_logging_json_heka") or {}
local logger = read_config("Logger")

local M = {}
setfenv(1, M)

-- Objects nested deeper stay JSON.
local DEPTH_MAX = 4

-- The message that a decoded line stands for.
local function message_of(doc, default_headers)
    local msg = doc
    if doc.Logger then
        msg.Logger = logger .. "|" .. doc.Logger
    else
        msg = { Fields = {} }
        util.table_to_fields(doc, msg.Fields, nil, ".", DEPTH_MAX)
    end
    local default_type = default_headers and default_headers.Type
    if default_type then msg.Type = msg.Type and default_type .. "|" .. msg.Type or default_type end
    local fields = msg.Fields
    if type(fields) == "table" and fields.agent then
        fields.user_agent_browser, fields.user_agent_version, fields.user_agent_os = clf.normalize_user_agent(fields.agent)
    end
    return msg
end

decode = json_lines.decoder(cfg, function(doc, default_headers)
    inject_message(message_of(doc, default_headers))
end)

return M
