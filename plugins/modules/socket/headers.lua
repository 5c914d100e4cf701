-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Headers: how the names of headers are written

## Functions

None; a table: `canonic[name]` is the usual form of a header's name in lower case, such as "Content-Type" for "content-type". Names can
be added.
--]]

local string = require "string"

local gsub, upper = string.gsub, string.upper
local setmetatable = setmetatable

-- Names whose parts do not just begin with a capital.
local known = {
    ["content-id"]       = "Content-ID",
    ["content-md5"]      = "Content-MD5",
    ["dnt"]              = "DNT",
    ["etag"]             = "ETag",
    ["message-id"]       = "Message-ID",
    ["mime-version"]     = "MIME-Version",
    ["te"]               = "TE",
    ["www-authenticate"] = "WWW-Authenticate",
}

local function capitals(_, name)
    return (gsub(name, "%f[%w]%l", upper))
end

return { canonic = setmetatable(known, { __index = capitals }) }
