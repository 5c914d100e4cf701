-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Alerts by mail: whom the alert output writes to

## Configuration

```lua
alert = {
    modules = {
        email = {
            recipients = { "ops@example.com" },
            -- footer = "a text below the detail",
        },
    },
}
```

The module is an array with one Field for `heka.alert`: `email.recipients`, an array of `<address>`.
--]]

local string = require "string"

local cfg = read_config("alert").modules.email
assert(type(cfg) == "table", "alert.modules.email configuration must be a table")
if type(cfg.recipients) ~= "table" or #cfg.recipients == 0 then error("recipients must be an array") end

local recipients = {}
for i, address in ipairs(cfg.recipients) do
    if type(address) ~= "string" then error("recipients must be strings") end
    recipients[i] = string.format("<%s>", address)
end

return { { name = "email.recipients", value = recipients } }
