-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Security metrics: counts and distinct items of a plugin, sent together

Gathers numbers for another analysis plugin or an output that adds them up. Injects messages of Type "secmetrics".

## Configuration

```lua
heka_secmetrics = { identifier = "example" } -- which source the numbers belong to
```

## Functions

`metrics = secmetrics.new()` begins. `metrics:inc_accumulator(name [, n])` adds `n` (default 1) to a count.
`metrics:add_uniqitem(name, item)` adds an item to a set. `metrics:send()` injects what was gathered since the last time, if anything
was, and begins anew. The Payload is JSON:

    {"identifier":"example","accumulators":{"logins":3},"uniqitems":{"users":{"ann":true}}}
--]]

local encode_json = require "cjson".encode

local inject_message = inject_message
local setmetatable = setmetatable

local cfg = read_config("heka_secmetrics") or error("heka_secmetrics configuration not found")
assert(cfg.identifier, "identifier configuration must be set")

local M = {}
setfenv(1, M)

local methods = {}
local class = { __index = methods }

local function reset(metrics)
    metrics.buf = { identifier = cfg.identifier, accumulators = {}, uniqitems = {} }
    metrics.havedata = false
end

function methods:inc_accumulator(name, n)
    local counts = self.buf.accumulators
    counts[name] = (counts[name] or 0) + (n or 1)
    self.havedata = true
end

function methods:add_uniqitem(name, item)
    local sets = self.buf.uniqitems
    sets[name] = sets[name] or {}
    sets[name][item] = true
    self.havedata = true
end

function methods:send()
    if not self.havedata then return end
    inject_message { Type = "secmetrics", Payload = encode_json(self.buf) }
    reset(self)
end

function new()
    local metrics = setmetatable({}, class)
    reset(metrics)
    return metrics
end

return M
