-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Heka JSON with changes: Fields are removed, taken apart, or kept as the metadata of another message

The text is a message written as a JSON object, see `decoders.heka.json`. Before it is injected, in this order:

1. User agents are taken apart, see `lpeg.common_log_format`.
2. Fields are removed.
3. With `preserve_metadata` all of it becomes Fields of a message whose headers are the default ones: a header becomes
   the Field of its name, the Field `x` becomes `Fields.x`.
4. Headers and Fields that it lacks are taken from the default headers.

## Configuration

```lua
decoder_module = "decoders.heka.json_mutate"
decoders_heka_json_mutate = {
    user_agent_transforms  = { agent = "user_agent_" }, -- Field -> prefix of the Fields browser, version and os
    user_agent_keep        = false, -- true: the Field stays
    user_agent_conditional = false, -- true: the Field stays where no browser was recognized
    scrub_fields           = { "password" },
    preserve_metadata      = false,
    preserve_metadata_use_timestamp = false, -- true: the Timestamp is the header of the message, too
    flatten_delimiter      = ".",   -- between "Fields" and the name
}
```
--]]

local fill  = require "default_headers".fill
local parse = require "decoders.heka.json".parse

local inject_message = inject_message
local ipairs, next, pairs, type = ipairs, next, pairs, type

local cfg = read_config("decoders_heka_json_mutate") or {}
assert(type(cfg) == "table", "decoders_heka_json_mutate must be a table")
local scrub      = cfg.scrub_fields or {}
local transforms = cfg.user_agent_transforms or {}
local delimiter  = cfg.flatten_delimiter or "."
assert(type(delimiter) == "string", "decoders_heka_json_mutate.flatten_delimiter must be a string")

local normalize = next(transforms) ~= nil and require "lpeg.common_log_format".normalize_user_agent

local M = {}
setfenv(1, M)

local function take_user_agents_apart(fields)
    for name, prefix in pairs(transforms) do
        local agent = fields[name]
        if type(agent) == "string" then
            local browser, version, os = normalize(agent)
            fields[prefix .. "browser"] = browser
            fields[prefix .. "version"] = version
            fields[prefix .. "os"]      = os
            local stays = cfg.user_agent_keep or (cfg.user_agent_conditional and not browser)
            if not stays then fields[name] = nil end
        end
    end
end

-- The whole message as Fields of another one.
local function as_metadata(msg)
    local fields = {}
    for name, value in pairs(msg) do
        if name ~= "Fields" then fields[name] = value end
    end
    for name, value in pairs(msg.Fields or {}) do
        fields["Fields" .. delimiter .. name] = value
    end
    return { Timestamp = cfg.preserve_metadata_use_timestamp and msg.Timestamp or nil, Fields = fields }
end

function decode(data, default_headers, mutable)
    local msg, err = parse(data)
    if not msg then return err end
    if msg.Fields then
        take_user_agents_apart(msg.Fields)
        for _, name in ipairs(scrub) do msg.Fields[name] = nil end
    end
    if cfg.preserve_metadata then msg = as_metadata(msg) end
    fill(msg, default_headers)
    inject_message(msg)
end

return M
