-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# nginx error: decodes lines of nginx's error log

    2014/03/01 11:29:39 [notice] 16842#0: *8878 using inherited sockets from "6;"

## Configuration

```lua
decoder_module = "decoders.nginx.error"
```

## Functions

`decode(data, default_headers, mutable)` injects a message, or returns `parse failed`. Timestamp, Severity, Pid and
Payload are those of the line; the fields are `tid` and, if there is one, `connection`.
--]]

local clf = require "lpeg.common_log_format"
local sdu = require "lpeg.sub_decoder_util"

local inject_message = inject_message
local grammar = clf.nginx_error_grammar

local M = {}
setfenv(1, M)

function decode(data, default_headers, mutable)
    local fields = grammar:match(data)
    if not fields then return "parse failed" end
    local msg = sdu.copy_message(default_headers, mutable)
    msg.Timestamp, msg.Severity, msg.Pid, msg.Payload = fields.time, fields.severity, fields.pid, fields.msg
    sdu.add_fields(msg, { tid = fields.tid, connection = fields.connection })
    inject_message(msg)
end

return M
