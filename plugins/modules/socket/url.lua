-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# URLs: taken apart, put together, made absolute

The names are those of LuaSocket's `socket.url`. A URL is

```
<scheme>://<user>:<password>@<host>:<port>/<path>;<params>?<query>#<fragment>
```

and taken apart it is a table with the keys `scheme`, `authority`, `userinfo`, `user`, `password`, `host`, `port` (a
string), `path` (with its slash), `params`, `query` and `fragment`, as far as the URL has them. The host of an IPv6
address has no brackets.

## Functions

| function | gives |
|---|---|
| `parse(url[, defaults])` | the table; keys that the URL lacks come from `defaults`. nil and "invalid url" for an empty one |
| `build(parsed)` | the URL of a table |
| `absolute(base, relative)` | a URL that is relative to another; the base may be a table |
| `escape(text)` | the text with everything but letters, digits and `_` as `%xx` |
| `unescape(text)` | the text with `%xx` as bytes |
| `parse_path(path)` | an array of unescaped segments, with `is_absolute` and `is_directory` |
| `build_path(segments[, unsafe])` | the path of such an array; with `unsafe` nothing is escaped |
--]]

local string = require "string"
local table  = require "table"
local socket = require "socket"

local ipairs, pairs, tonumber, type = ipairs, pairs, tonumber, type
local byte, char, find, format, gsub, match, sub =
    string.byte, string.char, string.find, string.format, string.gsub, string.match, string.sub
local concat, remove = table.concat, table.remove

local M = { _VERSION = "URL 1.0.3" }

local function percent(c)
    return format("%%%02x", byte(c))
end

function M.escape(text)
    return (gsub(text, "[^A-Za-z0-9_]", percent))
end

-- What may stand in a segment of a path as it is.
local function protect(segment)
    return (gsub(segment, "[^A-Za-z0-9_%-%.!~%*'%(%):@&=%+%$,]", percent))
end

function M.unescape(text)
    return (gsub(text, "%%(%x%x)", function(hex) return char(tonumber(hex, 16)) end))
end

-- The path of a relative URL at the place of a base's: RFC 3986, 5.2.
local function absolute_path(base, relative)
    local path = relative
    if sub(relative, 1, 1) ~= "/" then path = match(base, "^(.*/)") or "" ; path = path .. relative end
    local absolute = sub(path, 1, 1) == "/"
    local kept, is_directory = {}, false
    for segment in string.gmatch(path, "[^/]*/?") do
        local name = match(segment, "^[^/]*")
        local ends = sub(segment, -1) == "/"
        if name == "." then
            is_directory = true
        elseif name == ".." then
            if #kept > 0 and kept[#kept] ~= ".." then
                remove(kept)
            elseif not absolute then
                kept[#kept + 1] = ".."
            end
            is_directory = true
        elseif segment ~= "" and not (segment == "/" and #kept == 0) then
            kept[#kept + 1] = name
            is_directory = ends
        end
    end
    local result = (absolute and "/" or "") .. concat(kept, "/")
    if is_directory and #kept > 0 then result = result .. "/" end
    return result
end

local function parse_authority(parsed, authority)
    local userinfo, rest = match(authority, "^([^@]*)@(.*)$")
    if userinfo then
        parsed.userinfo = userinfo
        local user, password = match(userinfo, "^(.*):([^:]*)$")
        parsed.user, parsed.password = user or userinfo, password
    else
        rest = authority
    end
    local host, port = match(rest, "^(.*):([^:%]]*)$")
    if host then
        if port ~= "" then parsed.port = port end
    else
        host = rest
    end
    if host ~= "" then parsed.host = match(host, "^%[(.+)%]$") or host end
end

function M.parse(url, defaults)
    local parsed = {}
    for key, value in pairs(defaults or {}) do parsed[key] = value end
    if not url or url == "" then return nil, "invalid url" end
    local rest = url
    local before, behind = match(rest, "^([^#]*)#(.*)$")
    if before then rest, parsed.fragment = before, behind end
    local scheme, after = match(rest, "^(%a[%w%+%-%.]*):(.*)$")
    if scheme then parsed.scheme, rest = scheme, after end
    local authority, path = match(rest, "^//([^/%?]*)(.*)$")
    if authority then parsed.authority, rest = authority, path end
    before, behind = match(rest, "^([^%?]*)%?(.*)$")
    if before then rest, parsed.query = before, behind end
    before, behind = match(rest, "^([^;]*);(.*)$")
    if before then rest, parsed.params = before, behind end
    if rest ~= "" then parsed.path = rest end
    if parsed.authority then parse_authority(parsed, parsed.authority) end
    return parsed
end

function M.build(parsed)
    local path = parsed.path or ""
    -- Escaped where it has to be, and nowhere twice.
    local url = M.build_path(M.parse_path(path))
    if parsed.params then url = url .. ";" .. parsed.params end
    if parsed.query then url = url .. "?" .. parsed.query end
    local authority = parsed.authority
    if parsed.host then
        authority = parsed.host
        if find(authority, ":", 1, true) then authority = "[" .. authority .. "]" end
        if parsed.port then authority = authority .. ":" .. parsed.port end
        local userinfo = parsed.userinfo
        if parsed.user then
            userinfo = parsed.user
            if parsed.password then userinfo = userinfo .. ":" .. parsed.password end
        end
        if userinfo then authority = userinfo .. "@" .. authority end
    end
    if authority then url = "//" .. authority .. url end
    if parsed.scheme then url = parsed.scheme .. ":" .. url end
    if parsed.fragment then url = url .. "#" .. parsed.fragment end
    return url
end

function M.absolute(base, relative)
    local base_parsed = base
    if type(base) == "table" then
        base = M.build(base)
    else
        base_parsed = M.parse(base)
    end
    local parsed = M.parse(relative)
    if not base_parsed then return relative end
    if not parsed then return base end
    if parsed.scheme then return relative end
    parsed.scheme = base_parsed.scheme
    if not parsed.authority then
        parsed.authority = base_parsed.authority
        for _, key in ipairs { "userinfo", "user", "password", "host", "port" } do parsed[key] = base_parsed[key] end
        if not parsed.path then
            parsed.path = base_parsed.path
            if not parsed.params then
                parsed.params = base_parsed.params
                if not parsed.query then parsed.query = base_parsed.query end
            end
        else
            parsed.path = absolute_path(base_parsed.path or "/", parsed.path)
        end
    end
    return M.build(parsed)
end

function M.parse_path(path)
    path = path or ""
    local segments = {}
    for segment in string.gmatch(path, "[^/]+") do segments[#segments + 1] = M.unescape(segment) end
    if sub(path, 1, 1) == "/" then segments.is_absolute = 1 end
    if sub(path, -1) == "/" then segments.is_directory = 1 end
    return segments
end

function M.build_path(segments, unsafe)
    local parts = {}
    for i, segment in ipairs(segments) do parts[i] = unsafe and segment or protect(segment) end
    local path = concat(parts, "/")
    if #segments > 0 and segments.is_directory then path = path .. "/" end
    if segments.is_absolute then path = "/" .. path end
    return path
end

-- Plugins reach it by either name.
socket.url = M

return M
