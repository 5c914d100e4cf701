-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Payload: the bytes become the Payload, unchanged

The name that existing configurations use for `decoders.lines`; both are the same.

## Configuration

```lua
decoder_module = "decoders.payload"
```
--]]

return require "decoders.lines"
