-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Alerts by IRC: which channel the alert output speaks in

## Configuration

```lua
alert = {
    modules = {
        irc = { target = "irc.example.com#channel" }, -- "*": every channel that the alert output knows
    },
}
```

The module is an array with one Field for `heka.alert`: `irc.target`.
--]]

local cfg = read_config("alert").modules.irc
assert(type(cfg) == "table", "alert.modules.irc configuration must be a table")
if type(cfg.target) ~= "string" then error("target must be string") end

return { { name = "irc.target", value = cfg.target } }
