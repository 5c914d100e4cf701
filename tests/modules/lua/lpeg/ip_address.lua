-- Addresses and names of hosts.
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

local l  = require "lpeg"
local ip = require "lpeg.ip_address"

local function whole(grammar, text)
    return (grammar * -1):match(text) ~= nil
end

local v4 = { "0.0.0.0", "127.0.0.1", "192.0.2.255", "255.255.255.255", "9.10.99.100", "199.200.249.250" }
local not_v4 = { "", "1.2.3", "1.2.3.", "1.2.3.4.", "256.0.0.1", "1.2.3.260", "01.2.3.4", "1.2.3.04", "a.b.c.d", "1..2.3" }
local v6 = {
    "::", "::1", "1::", "fe80::1", "2001:db8::8a2e:370:7334", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
    "1::3:4:5:6:7:8", "1:2:3:4:5:6::8", "::ffff:192.0.2.1", "1:2:3:4:5:6:192.0.2.1", "64:ff9b::192.0.2.33", "ABCD:EF::",
    "1:2:3:4:5::192.0.2.1",
}
local not_v6 = {
    "", ":", ":1", "1", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", ":::", "1:::2", "12345::", "g::",
    "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "::256.1.1.1", "1.2.3.4", "1:2:3:4:5:6:7:",
}
for _, text in ipairs(v4) do assert(whole(ip.v4, text), text) end
for _, text in ipairs(not_v4) do assert(not whole(ip.v4, text), text) end
for _, text in ipairs(v6) do assert(whole(ip.v6, text), text) end
for _, text in ipairs(not_v6) do assert(not whole(ip.v6, text), text) end

same(ip.host:match("Example.COM:80"), "example.com")
same(ip.hostname:match("a%20B/"), "a%20b")
same(ip.hostname:match("%zz"), nil)
same(ip.v4:match("1.2.3.4"), 8, "no capture")
same(ip.v4_octets:match("192.0.2.1"), { 192, 0, 2, 1 })
same(ip.v4_field:match("192.0.2.1 "), { value = "192.0.2.1", representation = "ipv4" })
same(ip.v6_field:match("fe80::1%eth0"), { value = "fe80::1", representation = "ipv6" })
same(ip.host_field:match("192.0.2.1"), { value = "192.0.2.1", representation = "ipv4" })
same(ip.host_field:match("192.0.2.1:80"), { value = "192.0.2.1", representation = "ipv4" })
same(ip.host_field:match("::1"), { value = "::1", representation = "ipv6" })
same(ip.host_field:match("WWW.x"), { value = "www.x", representation = "hostname" })
same(ip.host_field:match("192.0.2.1.example"), { value = "192.0.2.1.example", representation = "hostname" })
same(ip.host_field:match("192.0.2.300"), { value = "192.0.2.300", representation = "hostname" })
same(ip.host_field:match(" "), nil)
same(ip.host_field:match(""), nil)

-- Two matches have tables of their own.
local a, b = ip.v4_field:match("1.1.1.1"), ip.v4_field:match("1.1.1.1")
a.value = "changed"
same(b.value, "1.1.1.1")

same(#ip.hostname:match(string.rep("a", 1000000)), 1000000)
same(ip.v6:match(string.rep("1:", 500000)), 16)
same(ip.v6:match(string.rep(":", 500000)), 3)
same(ip.v4:match(string.rep("1.", 500000)), 8)
same(ip.host_field:match("\0" .. "1.2.3.4"), nil)
