-- Deltas of a circular buffer.
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

local grammar = require "lpeg.cbufd".grammar

local header = '{"time":2,"rows":2,"columns":3,"seconds_per_row":60}'
local found = grammar:match(header .. "\n1379660520\t12075\t-1.5\tnan\n1379660580\t1e+20\tinf\t-inf\n")
same(found.header, header)
same(found[1].time, 1379660520e9)
same(found[1][1], 12075)
same(found[1][2], -1.5)
assert(found[1][3] ~= found[1][3], "not a number")
same({ found[2][1], found[2][2], found[2][3] }, { 1e20, 1 / 0, -1 / 0 })
same(#found, 2)
same(#found[1], 3)
for _, text in ipairs{ "", header, header .. "\n", header .. "\n1\t2", header .. "\n1\n", header .. "\n1\t2\nx",
                       header .. "\n1\tx\n", "\n1\t2\n", header .. "\n1\t2\0\n" } do
    same(grammar:match(text), nil, text)
end
same(#grammar:match(header .. "\n" .. string.rep("1\t2\n", 20000)), 20000)
