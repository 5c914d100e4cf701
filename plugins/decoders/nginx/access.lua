-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# nginx access: decodes lines of nginx's access log

## Configuration

```lua
decoder_module = "decoders.nginx.access"
decoders_nginx_access = {
    -- the format in nginx.conf; required
    log_format = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
    -- user_agent_transform   = false, -- http_user_agent becomes user_agent_browser, _version and _os
    -- user_agent_keep        = false, -- keep http_user_agent beside them
    -- user_agent_conditional = false, -- keep http_user_agent if its browser is not known
    -- payload_keep           = false, -- the line becomes the Payload
}
```

## Functions

`decode(data, default_headers, mutable)` injects a message, or returns `parse failed`. Its Timestamp is the time of
the line; its fields are the variables of the format: see `lpeg.common_log_format`.
--]]

local clf = require "lpeg.common_log_format"
local sdu = require "lpeg.sub_decoder_util"

local inject_message = inject_message

local cfg = read_config("decoders_nginx_access")
assert(type(cfg) == "table", "decoders_nginx_access must be a table")
local grammar = clf.build_nginx_grammar(cfg.log_format)
local payload_keep, user_agent_transform = cfg.payload_keep, cfg.user_agent_transform

local M = {}
setfenv(1, M)

local function transform_user_agent(fields)
    local browser, version, system = clf.normalize_user_agent(fields.http_user_agent)
    fields.user_agent_browser, fields.user_agent_version, fields.user_agent_os = browser, version, system
    local kept = cfg.user_agent_keep or cfg.user_agent_conditional and not browser
    if not kept then fields.http_user_agent = nil end
end

function decode(data, default_headers, mutable)
    local fields = grammar:match(data)
    if not fields then return "parse failed" end
    local msg = sdu.copy_message(default_headers, mutable)
    if payload_keep then msg.Payload = data end
    if user_agent_transform and fields.http_user_agent then transform_user_agent(fields) end
    msg.Timestamp = fields.time
    fields.time = nil
    sdu.add_fields(msg, fields)
    inject_message(msg)
end

return M
