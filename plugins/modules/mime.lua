-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# MIME: encodings of mail as filters

Filters for `ltn12`, made of the native functions of `mime.core`, which are in this module too. The names are those of
LuaSocket's `mime`.

```
local ltn12, mime = require "ltn12", require "mime"
local encoded = {}
ltn12.pump.all(
    ltn12.source.chain(ltn12.source.string("some text"), mime.encode("base64"), mime.wrap()),
    ltn12.sink.table(encoded))
```

## Functions

| function | gives a filter that |
|---|---|
| `encode("base64")` | encodes bytes in base64 |
| `encode("quoted-printable"[, mode])` | encodes in quoted-printable; `mode` is "text" (the default) or "binary", which keeps line ends as they are |
| `decode("base64")`, `decode("quoted-printable")` | decodes |
| `wrap([name][, length])` | breaks lines longer than `length` (76); `name` is "text", "base64" or "quoted-printable" |
| `normalize([marker])` | makes every line end the marker, CRLF if none is given |
| `stuff()` | doubles dots at the head of lines, as SMTP needs it |

`encodet`, `decodet` and `wrapt` are the tables in which `encode`, `decode` and `wrap` look; they can be added to.
--]]

local core  = require "mime.core"
local cycle = require "ltn12".filter.cycle
require "io" -- plugins count on it after this module

local error, pairs, tostring, type = error, pairs, tostring, type

local M = { encodet = {}, decodet = {}, wrapt = {} }
for name, value in pairs(core) do M[name] = value end

function M.encodet.base64()
    return cycle(core.b64, "")
end

M.encodet["quoted-printable"] = function(mode)
    return cycle(core.qp, "", mode == "binary" and "=0D=0A" or "\r\n")
end

function M.decodet.base64()
    return cycle(core.unb64, "")
end

M.decodet["quoted-printable"] = function()
    return cycle(core.unqp, "")
end

function M.wrapt.text(length)
    length = length or 76
    return cycle(core.wrp, length, length)
end
M.wrapt.base64  = M.wrapt.text
M.wrapt.default = M.wrapt.text

M.wrapt["quoted-printable"] = function(length)
    length = length or 76
    return cycle(core.qpwrp, length, length)
end

-- A function that makes the filter which its first argument names.
local function choose(makers)
    return function(name, ...)
        if type(name) ~= "string" then
            local default = makers.default
            if not default then error("unknown key (" .. tostring(name) .. ")", 2) end
            return default(name, ...)
        end
        local maker = makers[name]
        if not maker then error("unknown key (" .. name .. ")", 2) end
        return maker(...)
    end
end

M.encode = choose(M.encodet)
M.decode = choose(M.decodet)
M.wrap   = choose(M.wrapt)

function M.normalize(marker)
    return cycle(core.eol, 0, marker)
end

function M.stuff()
    return cycle(core.dot, 2)
end

return M
