-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Alerts into a file: a line of JSON for each notification

A channel of the output `alert.lua`.

## Configuration

```lua
kind = "file"
path = "/var/log/alerts.json"
-- size_max = 16777216       -- bytes; a larger file becomes path.old, and a new one begins
```

Each line is what `alerting.wording.document` makes. A line that a crash tore apart is cut off at the next start and
written again. The module has `new(cfg)`, which returns a function that delivers a notification.
--]]

local append_file = require "foresight.append_file"
local cjson       = require "cjson"
local wording     = require "alerting.wording"

local assert, error, type = assert, error, type

local M = {}
setfenv(1, M)

function new(cfg)
    if type(cfg.path) ~= "string" then error("path must be a string", 0) end
    local size_max = cfg.size_max or 16777216
    local file = assert(append_file.open(cfg.path, { frames = "lines" }))
    return function(notification)
        if file:size() > size_max then
            local ok, err = file:rotate(cfg.path .. ".old")
            if not ok then return nil, err end
        end
        local ok, err = file:write(cjson.encode(wording.document(notification)) .. "\n")
        if ok then ok, err = file:flush() end
        if not ok then return nil, err end
        return true
    end
end

return M
