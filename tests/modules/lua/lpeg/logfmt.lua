-- Pairs of logfmt.
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

local grammar = require "lpeg.logfmt".grammar

local cases = {
    { "at=info method=GET path=/a/b?c msg=\"hello \\\"you\\\" \\u00e9\\n\" cached",
      { at = "info", method = "GET", path = "/a/b?c", msg = "hello \"you\" é\n", cached = true } },
    { "a= b=\"\" c", { a = "", b = "", c = true } },
    { "a=1 a=2", { a = "2" } },
    { "  =x \" a=1", { x = true, a = "1" } },
    { "a=\"open b=1", { a = "", open = true, b = "1" } },
    { "a=\"bad \\q\" b=2", { a = "", bad = true, ["\\q"] = true, b = "2" } },
    { "a==b", { a = "", b = true } },
    { "", {} },
    { "\0\1 \"=", {} },
    { "ä=ö", { ["ä"] = "ö" } },
}
for _, case in ipairs(cases) do same(grammar:match(case[1]), case[2], case[1]) end
same(#grammar:match("a=" .. string.rep("x", 1000000)).a, 1000000)
same(grammar:match(string.rep("=", 300000) .. "a").a, true)
same(grammar:match(string.rep("a=\"", 100000)).a, "a=")
