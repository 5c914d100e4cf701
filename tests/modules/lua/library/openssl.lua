-- Digests and their like against published vectors, and a certificate of our own making.
local string = require "string"
local openssl = require "openssl"

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end

-- FIPS 180 and RFC 1321.
local digest = openssl.digest
local vectors = {
    md5 = "900150983cd24fb0d6963f7d28e17f72",
    sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d",
    sha224 = "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    sha384 = "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    sha512 = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
}
for name, wanted in pairs(vectors) do
    assert(digest.digest(name, "abc") == wanted and openssl.hex(digest.digest(name, "abc", true)) == wanted)
    assert(digest.digest(string.upper(name), "abc", false) == wanted)
    local context = digest.new(name)
    assert(context:update("a") == true)
    assert(context:final("bc") == wanted and context:final("bc", true) == openssl.hex(wanted, false))
    context:update("bc")
    assert(context:final() == wanted and openssl.hex(context:final(true)) == wanted)
    assert(context:info().name == name and context:info().size == #wanted / 2)
    context:reset()
    assert(context:final("abc") == wanted)
end
assert(digest.digest("SHA-256", "abc") == vectors.sha256 and #digest.list() == 6)
fails("must be a string, NID number or asn1_object identity digest method", digest.digest, "whirl", "abc")
fails("string expected", digest.digest, "md5")
fails("string expected", digest.new)
fails("openssl.evp_digest_ctx expected", digest.new("md5").update, {}, "x")

-- RFC 4231, cases 2 and 6.
local hmac = openssl.hmac
assert(hmac.hmac("sha256", "what do ya want for nothing?", "Jefe") == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
local long = string.rep("\170", 131)
local wanted = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
assert(hmac.hmac("sha256", "Test Using Larger Than Block-Size Key - Hash Key First", long) == wanted)
local context = hmac.new("sha256", long)
context:update("Test Using Larger Than Block-Size Key")
assert(context:final(" - Hash Key First") == wanted and #context:final(true) == 32)
assert(hmac.hmac("md5", "Hi There", string.rep("\11", 16)) == "9294727a3638bb1c13f48ef8158bfc9d")

-- Random bytes.
assert(#openssl.random(16) == 16 and openssl.random(16) ~= openssl.random(16) and #openssl.random(200000) == 200000)
fails("must greater than 0", openssl.random, 0)
fails("must greater than 0", openssl.random, -5)

-- Codings.
assert(openssl.hex("\0\255a") == "00ff61" and openssl.hex("00fF61", false) == "\0\255a" and openssl.hex("") == "")
fails("invalid hex string", openssl.hex, "0", false)
fails("invalid hex string", openssl.hex, "zz", false)
assert(openssl.base64("hello\0") == "aGVsbG8A" and openssl.base64("aGVs\nbG8A\n", false) == "hello\0")
assert(openssl.base64("a") == "YQ==" and openssl.base64("YQ", false) == "a" and openssl.base64("!", false) == nil)
assert(openssl.base64(string.rep("a", 49), true, false) == string.rep("YWFh", 16) .. "\nYQ==\n")

-- Certificates that `openssl req -x509 -newkey ed25519` made for this test.
local pem = [[
-----BEGIN CERTIFICATE-----
MIIB9DCCAaagAwIBAgIUTSE2N9QP4cozI2eaouqu7J1OMY4wBQYDK2VwMFIxCzAJ
BgNVBAYTAlhYMRAwDgYDVQQIDAdOb3doZXJlMRYwFAYDVQQKDA1UZXN0cyBvZiBv
dXJzMRkwFwYDVQQDDBBtYWluLmV4YW1wbGUub3JnMCAXDTI2MTEyNDE0MjUzN1oY
DzIxMjYxMDMxMTQyNTM3WjBSMQswCQYDVQQGEwJYWDEQMA4GA1UECAwHTm93aGVy
ZTEWMBQGA1UECgwNVGVzdHMgb2Ygb3VyczEZMBcGA1UEAwwQbWFpbi5leGFtcGxl
Lm9yZzAqMAUGAytlcAMhANzRWOWmwNpJGwdZZjp/RkRlTZ/HdfsRGWgms0nIFI8r
o4GLMIGIMB0GA1UdDgQWBBT+n6uhp3fW7dB6AVJawekZI1xKqzAfBgNVHSMEGDAW
gBT+n6uhp3fW7dB6AVJawekZI1xKqzAPBgNVHRMBAf8EBTADAQH/MDUGA1UdEQQu
MCyCEG1haW4uZXhhbXBsZS5vcmeCEioud2lsZC5leGFtcGxlLm9yZ4cEfwAAATAF
BgMrZXADQQBsuqmG5EIhu5jZvf+tx0z9iJU8T4fmc+GqCwXS0ms6qRt2SFgPrc7v
lRHN5qEmnlS6wsRWB7rw+1EEIHWhizMH
-----END CERTIFICATE-----
]]
local alone = [[
-----BEGIN CERTIFICATE-----
MIIBTDCB/6ADAgECAhRFNsti0uc6C86ssR9A1mFZylo9nDAFBgMrZXAwGzEZMBcG
A1UEAwwQb25seS5leGFtcGxlLm9yZzAgFw0yNjExMjQxNDI1MzdaGA8yMTI2MTAz
MTE0MjUzN1owGzEZMBcGA1UEAwwQb25seS5leGFtcGxlLm9yZzAqMAUGAytlcAMh
AMrhLqML70AcUQsMM8vdMdQFV5Jlz+yFvrJKwiCuJPkho1MwUTAdBgNVHQ4EFgQU
wBfCCv/1ChPVkOypqaH3kEZ/82cwHwYDVR0jBBgwFoAUwBfCCv/1ChPVkOypqaH3
kEZ/82cwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQAJ0Py29gf6QuSOtuj74ABL
eGhqgkE4kZ0/c691o9m2fw6NOmSgCjMF1dgW9Mi6fO5DXr+dkV8z3333C+nM7/4P
-----END CERTIFICATE-----
]]
local certificate = openssl.x509.read(pem)
local parsed = certificate:parse()
assert(parsed.issuer:get_text("CN") == "main.example.org" and parsed.subject:get_text("organizationName") == "Tests of ours")
assert(parsed.subject:get_text("2.5.4.6") == "XX" and parsed.subject:get_text("OU") == nil)
assert(parsed.subject:oneline() == "/C=XX/ST=Nowhere/O=Tests of ours/CN=main.example.org")
assert(parsed.version == 2 and parsed.notAfter - parsed.notBefore == 36500 * 86400 and #parsed.serialNumber == 40)
assert(#parsed.dnsNames == 2 and parsed.dnsNames[2] == "*.wild.example.org")
assert(certificate:issuer():oneline() == certificate:subject():oneline())
for host, matches in pairs {
    ["main.example.org"] = true, ["MAIN.example.ORG"] = true, ["main.example.org."] = true, ["a.wild.example.org"] = true,
    ["a.b.wild.example.org"] = false, ["wild.example.org"] = false, [".wild.example.org"] = false, ["example.org"] = false,
    ["*.wild.example.org"] = true, [""] = false, ["127.0.0.1"] = false,
} do
    assert(certificate:check_host(host) == matches, host)
end
local single = openssl.x509.read(alone)
assert(single:check_host("only.example.org") and not single:check_host("other.example.org"))
assert(#single:parse().dnsNames == 0)
local der = openssl.base64(string.match(pem, "%-\n(.-)%-"), false)
assert(openssl.x509.read(der):check_host("main.example.org"))
for _, text in ipairs {"", "x", "0", string.sub(der, 1, -2), der .. "x", string.rep("0", 2e6), pem .. "\0", "-----BEGIN CERTIFICATE-----"} do
    local none, why = openssl.x509.read(text)
    assert((none == nil and type(why) == "string") or text == pem .. "\0", text)
end
fails("unknown part of a name", parsed.subject.get_text, parsed.subject, "colour")
fails("openssl.x509 expected", certificate.parse, {})
-- What the TLS report decoder takes along.
assert(type(openssl.x509.name) == "table" and type(openssl.asn1) == "table")
