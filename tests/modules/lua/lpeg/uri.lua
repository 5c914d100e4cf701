-- URIs, references and query strings.
local string, table = require "string", require "table"

local function show(v)
    if type(v) ~= "table" then return type(v) == "string" and string.format("%q", v) or tostring(v) end
    local parts = {}
    for k, x in pairs(v) do parts[#parts + 1] = tostring(k) .. "=" .. show(x) end
    table.sort(parts)
    return "{" .. table.concat(parts, ",") .. "}"
end

local function same(found, expected, what)
    local f, e = show(found), show(expected)
    if f ~= e then error(string.format("%s:\n found    %s\n expected %s", tostring(what), f, e), 2) end
end

local uri = require "lpeg.uri"

local uris = {
    { "https://Example.com:8443/a%20b/c?q=%31&r#top",
      { scheme = "https", host = "example.com", port = "8443", path = "/a b/c", query = "q=%31&r", fragment = "top" } },
    { "ftp://ann:p%40ss@192.0.2.1/x", { scheme = "ftp", userinfo = "ann:p@ss", host = "192.0.2.1", path = "/x" } },
    { "http://[2001:db8::1]:80", { scheme = "http", host = "2001:db8::1", port = "80", path = "" } },
    { "http://[v1.x:y]/", { scheme = "http", host = "v1.x:y", path = "/" } },
    { "http://h?x", { scheme = "http", host = "h", path = "", query = "x" } },
    { "http://h:/", { scheme = "http", host = "h", port = "", path = "/" } },
    { "mailto:ann@example.com", { scheme = "mailto", path = "ann@example.com" } },
    { "file:/etc/passwd", { scheme = "file", path = "/etc/passwd" } },
    { "urn:a:b%3ac", { scheme = "urn", path = "a:b:c" } },
    { "x+y-z.1:", { scheme = "x+y-z.1" } },
    { "a://h//b//", { scheme = "a", host = "h", path = "//b//" } },
}
for _, case in ipairs(uris) do
    same(uri.uri:match(case[1]), case[2], case[1])
    same(uri.uri_reference:match(case[1]), case[2], case[1])
end
local references = {
    { "/a/b?c", { path = "/a/b", query = "c" } },
    { "a%62c/d:e", { path = "abc/d:e" } },
    { "../x", { path = "../x" } },
    { "//h/p", { host = "h", path = "/p" } },
    { "?q", { query = "q" } },
    { "#f?", { fragment = "f?" } },
    { "", {} },
}
for _, case in ipairs(references) do
    same(uri.uri_reference:match(case[1]), case[2], case[1])
    same(uri.uri:match(case[1]), nil, case[1])
end
for _, text in ipairs{ "http://a b/", "http://h/%zz", "1a:b", ":x", "http://[::1", "http://[1.2.3.4]/", "a\0b", "http://h/\0" } do
    same(uri.uri:match(text), nil, text)
    same(uri.uri_reference:match(text), nil, text)
end

local queries = {
    { "a=1&b=2", { a = "1", b = "2" } },
    { "a=1&a=2", { a = "2" } },
    { "a&b=&c", { a = "", b = "", c = "" } },
    { "a+b=c%26d+e&&f==g", { ["a b"] = "c&d e", f = "=g" } },
    { "a=%zz&b=50%", { a = "%zz", b = "50%" } },
    { "", {} },
}
for _, case in ipairs(queries) do same(uri.url_query:match(case[1]), case[2], case[1]) end
same(uri.url_query:match("=x"), nil)
same(uri.url_query:match("&a"), nil)

same(#uri.uri:match("a:" .. string.rep("%41", 100000)).path, 100000)
same(uri.uri:match(string.rep("a", 1000000)), nil)
same(uri.uri:match("http://" .. string.rep("a@", 100000)), nil)
