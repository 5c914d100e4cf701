-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Heka: transformations that move fields of a message to its headers

Each is called with a message and the name of a field, as `lpeg.sub_decoder_util` does for its transformations:

```lua
decoder_module = {
    { { "lpeg.common_log_format#nginx_error_grammar" },
      { time = "lpeg.heka#set_timestamp", msg = "lpeg.heka#set_payload", severity = "lpeg.heka#set_severity" } },
}
```

## Functions

`set_uuid`, `set_timestamp`, `set_logger`, `set_hostname`, `set_type`, `set_envversion`, `set_payload`, `set_severity`
and `set_pid` move the value of the field to the header.

`remove_payload` takes away the Payload, which grammars leave in the message.

`add_normalized_user_agent` adds the browser, version and system of a user agent as fields with the suffixes
`_browser`, `_version` and `_os`; a field that is no string is left alone.

## Configuration

```lua
lpeg_heka = {
    user_agent_normalized_field_name = "user_agent", -- prefix of the new fields; default: the name of the field
    user_agent_remove = true,                        -- remove the field if a browser was found
}
```
--]]

local clf = require "lpeg.common_log_format"

local cfg = read_config("lpeg_heka") or {}
local pairs, type = pairs, type

local M = {}
setfenv(1, M)

local SETTERS = {
    set_uuid       = "Uuid",
    set_timestamp  = "Timestamp",
    set_logger     = "Logger",
    set_hostname   = "Hostname",
    set_type       = "Type",
    set_envversion = "EnvVersion",
    set_payload    = "Payload",
    set_severity   = "Severity",
    set_pid        = "Pid",
}

for name, header in pairs(SETTERS) do
    M[name] = function(msg, field)
        local fields = msg.Fields
        msg[header] = fields[field]
        fields[field] = nil
    end
end

function remove_payload(msg)
    msg.Payload = nil
end

function add_normalized_user_agent(msg, field)
    local fields = msg.Fields
    local agent = fields[field]
    if type(agent) ~= "string" then return end
    local prefix = cfg.user_agent_normalized_field_name or field
    local browser, version, system = clf.normalize_user_agent(agent)
    fields[prefix .. "_browser"] = browser
    fields[prefix .. "_version"] = version
    fields[prefix .. "_os"]      = system
    if browser and cfg.user_agent_remove then fields[field] = nil end
end

return M
