-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

-- socket.url: taking apart, putting together, and every example of RFC 3986, section 5.4.

require "string"
local url = require "socket.url"

local function parsed(text, expected)
    local found = assert(url.parse(text))
    for key, value in pairs(expected) do
        if found[key] ~= value then error(text .. ": " .. key .. " is " .. tostring(found[key]), 2) end
    end
    for key in pairs(found) do
        if expected[key] == nil then error(text .. ": " .. key .. " is there", 2) end
    end
end

parsed("http://user:pa%20ss@example.com:8080/a/b;p=1?q=2&r#frag", {
    scheme = "http", authority = "user:pa%20ss@example.com:8080", userinfo = "user:pa%20ss", user = "user",
    password = "pa%20ss", host = "example.com", port = "8080", path = "/a/b", params = "p=1", query = "q=2&r",
    fragment = "frag",
})
parsed("http://[::1]:81/", { scheme = "http", authority = "[::1]:81", host = "::1", port = "81", path = "/" })
parsed("http://[::1]", { scheme = "http", authority = "[::1]", host = "::1" })
parsed("//host?q", { authority = "host", host = "host", query = "q" })
parsed("mailto:a@b", { scheme = "mailto", path = "a@b" })
parsed("/only/path", { path = "/only/path" })
parsed("http://user@host", { scheme = "http", authority = "user@host", userinfo = "user", user = "user", host = "host" })
parsed("http://host:/x", { scheme = "http", authority = "host:", host = "host", path = "/x" })
parsed("file:///x", { scheme = "file", authority = "", path = "/x" })
local found = url.parse("host", { scheme = "http", port = 80 })
assert(found.scheme == "http" and found.port == 80 and found.path == "host")
local nothing, err = url.parse("")
assert(nothing == nil and err == "invalid url")
nothing, err = url.parse(nil)
assert(nothing == nil and err == "invalid url")

for _, text in ipairs {
    "http://user:pw@example.com:8080/a/b;p=1?q=2#f", "http://[::1]:81/", "/a/b/", "a?b", "//host/x", "mailto:a@b",
} do
    assert(url.build(url.parse(text)) == text, text)
end
assert(url.build { scheme = "http", host = "h", path = "/a b/c" } == "http://h/a%20b/c")
assert(url.build { scheme = "http", host = "h", path = "/a%20b" } == "http://h/a%20b", "nothing is escaped twice")

local base = "http://a/b/c/d;p?q"
for relative, expected in pairs {
    ["g:h"] = "g:h", ["g"] = "http://a/b/c/g", ["./g"] = "http://a/b/c/g", ["g/"] = "http://a/b/c/g/",
    ["/g"] = "http://a/g", ["//g"] = "http://g", ["g?y"] = "http://a/b/c/g?y", ["#s"] = "http://a/b/c/d;p?q#s",
    ["g#s"] = "http://a/b/c/g#s", ["g?y#s"] = "http://a/b/c/g?y#s", ["g;x"] = "http://a/b/c/g;x",
    ["."] = "http://a/b/c/", ["./"] = "http://a/b/c/", [".."] = "http://a/b/", ["../"] = "http://a/b/",
    ["../g"] = "http://a/b/g", ["../.."] = "http://a/", ["../../"] = "http://a/", ["../../g"] = "http://a/g",
    ["../../../g"] = "http://a/g", ["/./g"] = "http://a/g", ["/../g"] = "http://a/g", ["g."] = "http://a/b/c/g.",
    ["..g"] = "http://a/b/c/..g", ["./../g"] = "http://a/b/g", ["./g/."] = "http://a/b/c/g/",
    ["g/./h"] = "http://a/b/c/g/h", ["g/../h"] = "http://a/b/c/h", ["?y"] = "http://a/b/c/d;p?y",
} do
    local absolute = url.absolute(base, relative)
    if absolute ~= expected then error(relative .. ": found " .. absolute .. ", expected " .. expected) end
end
assert(url.absolute({ scheme = "http", host = "h", path = "/x/y" }, "z") == "http://h/x/z")
assert(url.absolute(base, "") == base)

assert(url.escape("a b/c~\255") == "a%20b%2fc%7e%ff")
assert(url.unescape("a%20b%2Fc%zz%") == "a b/c%zz%")
assert(url.unescape(url.escape("\0\1\255%")) == "\0\1\255%")
local segments = url.parse_path("/a%2fb/c/")
assert(segments[1] == "a/b" and segments[2] == "c" and segments.is_absolute == 1 and segments.is_directory == 1)
assert(url.build_path(segments) == "/a%2fb/c/")
assert(url.build_path(segments, true) == "/a/b/c/")
assert(url.build_path {} == "")
assert(url.build_path { is_absolute = 1, is_directory = 1 } == "/")

-- LuaSocket's modules are found in its table as well.
local socket = require "socket"
for _, name in ipairs { "url", "http", "tp", "smtp" } do
    local module = require("socket." .. name)
    assert(socket[name] == module, name)
end
assert(io and io.open, "mime, which smtp uses, leaves io behind")
