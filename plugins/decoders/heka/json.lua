-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Heka JSON: the text is a message, written as a JSON object

The object has the shape of a message table: headers by their names, `Fields` either an object of names and values or an
array of objects with `name`, `value`, `value_type` and `representation`.

    {"Timestamp":1e18,"Type":"login","Fields":{"user":"ann","sizes":[1,2],"n":{"value":5,"value_type":2}}}

Headers and Fields that it lacks are taken from the default headers; nulls count as absent.

## Configuration

```lua
decoder_module = "decoders.heka.json"
```

`parse(data)` returns the message without injecting it, or nil and what is wrong; text that is no JSON raises an error.
--]]

local cjson = require "cjson"
local fill  = require "default_headers".fill

local decode_json, null = cjson.decode, cjson.null
local inject_message = inject_message
local pairs, type = pairs, type

local M = {}
setfenv(1, M)

local function drop_nulls(t)
    for key, value in pairs(t) do
        if value == null then t[key] = nil end
    end
end

-- The message that the text says, without its nulls; or nil and what is wrong with it.
function parse(data)
    local msg = decode_json(data)
    if type(msg) ~= "table" then return nil, "not a JSON object" end
    drop_nulls(msg)
    if msg.Fields == nil then return msg end
    if type(msg.Fields) ~= "table" then return nil, "Fields is no JSON object" end
    drop_nulls(msg.Fields)
    return msg
end

function decode(data, default_headers, mutable)
    local msg, err = parse(data)
    if not msg then return err end
    fill(msg, default_headers)
    inject_message(msg)
end

return M
