-- attack: library | analysis | either
-- Absurd numbers of random bytes, unknown names, contexts after their end, and certificates that are garbage.
local openssl = require "openssl"
local string, math = require "string", require "math"
local nested = string.rep("\48\128", 50000)
local pem = "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
function process_message()
    for _, n in ipairs({-1, 0, 1e9, 2^31, 2^32, 1e18, 0/0, 1/0, -1/0, "x"}) do assert(not pcall(openssl.random, n) or n == 0 or n ~= n or n == -1 or n == -1/0, "HOLE: made that many bytes") end
    for _, name in ipairs({"", "md4", "sha1\0", "SHA-256", string.rep("sha1", 10000), "none"}) do pcall(openssl.digest.digest, name, "x") pcall(openssl.digest.new, name) pcall(openssl.hmac.new, name, "k") end
    local d, h = openssl.digest.new("md5"), openssl.hmac.new("md5", "k")
    d:final() h:final("x")
    pcall(d.update, d, "x") pcall(d.final, d) pcall(d.info, d) pcall(d.reset, d) pcall(h.update, h, "x") pcall(h.final, h) pcall(d.update, h, "x") pcall(h.update, d, "x")
    for _, text in ipairs({"", "\48", "\48\130\255\255", "\48\132\255\255\255\255", nested, string.rep("\48\130\1\0", 20000), string.format(pem, openssl.base64(nested)), string.format(pem, ""), string.format(pem, string.rep("A", 100000)), "-----BEGIN CERTIFICATE-----", string.rep("-----BEGIN CERTIFICATE-----\n", 1000)}) do pcall(openssl.x509.read, text) end
    for _ = 1, 200 do
        local bytes = {}
        for i = 1, 40 do bytes[i] = math.random(0, 255) end
        pcall(openssl.x509.read, "\48\38" .. string.char(unpack(bytes)))
    end
    pcall(openssl.hex, "x", false) pcall(openssl.hex, string.rep("a", 1000001), false) pcall(openssl.base64, string.rep("=", 100000), false) pcall(openssl.base64, string.rep("A", 100001), false, false)
    return 0
end
function timer_event() end
