-- attack: network and files | output | either
-- Parameters of the wrong kind, keys and certificates that are garbage, and sockets that are none.
local ssl, socket = require "ssl", require "socket"
local string = require "string"
local cyclic = {}
cyclic.options, cyclic.verify, cyclic.alpn, cyclic.mode = cyclic, cyclic, cyclic, "client"
local hostile = setmetatable({}, {__index = error})
local odd = {1, 0/0, "", "x", "a\0b", string.rep("x", 100000), {}, {{}}, cyclic, true, print, hostile, "/dev/zero", "/proc/self/mem", "/"}
function process_message()
    for _, key in ipairs({"mode", "protocol", "certificate", "key", "cafile", "capath", "verify", "options", "ciphers", "ciphersuites", "alpn", "password", "curve", "dhparam"}) do
        for _, v in ipairs(odd) do pcall(ssl.newcontext, {mode = "client", protocol = "any", [key] = v}) end
    end
    pcall(ssl.newcontext, cyclic) pcall(ssl.newcontext, hostile) pcall(ssl.newcontext)
    for _, v in ipairs(odd) do pcall(ssl.loadcertificate, v) pcall(ssl.wrap, v, {mode = "client"}) pcall(ssl.wrap, socket.tcp(), v) end
    pcall(ssl.loadcertificate, "-----BEGIN CERTIFICATE-----\n" .. string.rep("MIIB", 50000) .. "\n-----END CERTIFICATE-----")
    local s = socket.tcp()
    local ok, c = pcall(ssl.wrap, s, {mode = "client", protocol = "any"})
    if ok and c then pcall(c.dohandshake, c) pcall(c.sni, c, string.rep("h", 100000)) pcall(c.receive, c) pcall(c.close, c) pcall(c.dohandshake, c) end
    pcall(s.send, s, "x")
    return 0
end
