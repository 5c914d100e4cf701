-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Alerts for the channels of the alert output: the plugin names no receivers

## Configuration

```lua
alert = {
    modules = { channels = {} },
}
```

Who gets the alert is a matter of the output `alert.lua` and the matchers of its `channels`. The module is an empty array: it
adds no Fields for `heka.alert`.
--]]

return {}
