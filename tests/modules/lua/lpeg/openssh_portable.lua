-- Messages of OpenSSH, found by samples.
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

local printf = require "lpeg.printf"
local grammars = printf.load_messages{ "lpeg.openssh_portable" }

local function ip4(value) return { value = value, representation = "ipv4" } end

local CASES = {
    { "Accepted publickey for ann from 192.0.2.5 port 4242 ssh2: ED25519 SHA256:x",
      { authmsg = "Accepted", method = "publickey", user = "ann", ssh_remote_ipaddr = ip4"192.0.2.5", ssh_remote_port = 4242,
        extra = "ED25519 SHA256:x" } },
    { "Failed keyboard-interactive/pam for invalid user bob from 192.0.2.5 port 1 ssh2",
      { authmsg = "Failed", method = "keyboard-interactive", submethod = "pam", user = "bob", ssh_remote_ipaddr = ip4"192.0.2.5",
        ssh_remote_port = 1, extra = "" } },
    { "Connection closed by authenticating user root 192.0.2.5 port 22 [preauth]",
      { user = "root", ssh_remote_ipaddr = ip4"192.0.2.5", ssh_remote_port = 22 } },
    { "Connection reset by 192.0.2.5 port 22", { ssh_remote_ipaddr = ip4"192.0.2.5", ssh_remote_port = 22 } },
    { "Received disconnect from 192.0.2.5 port 22:11: Bye Bye [preauth]",
      { ssh_remote_ipaddr = ip4"192.0.2.5", ssh_remote_port = 22, disconnect_reason = 11, msg = "Bye Bye" } },
    { "Connection from 192.0.2.5 port 4 on 192.0.2.6 port 22 rdomain \"\"",
      { ssh_remote_ipaddr = ip4"192.0.2.5", ssh_remote_port = 4, ssh_local_ipaddr = ip4"192.0.2.6", ssh_local_port = 22, rdomain = "" } },
    { "Invalid user x y from 192.0.2.5 port 9", { user = "x y", ssh_remote_ipaddr = "192.0.2.5", ssh_remote_port = 9 } },
    { "maximum authentication attempts exceeded for invalid user x from 192.0.2.5 port 9 ssh2 [preauth]",
      { user = "x", ssh_remote_ipaddr = ip4"192.0.2.5", ssh_remote_port = 9 } },
    { "Unable to negotiate with 192.0.2.5 port 9: no matching host key type found. Their offer: ssh-rsa,ssh-dss [preauth]",
      { ssh_remote_ipaddr = ip4"192.0.2.5", ssh_remote_port = 9, msg = "no matching host key type found", failed_choice = "ssh-rsa,ssh-dss" } },
    { "Server listening on 0.0.0.0 port 22.", { ntop = "0.0.0.0", strport = "22", rdomain = "" } },
    { "User ann from h not allowed because not listed in AllowUsers", { pw_name = "ann", hostname = "h" } },
    { "open \"/a b\" flags READ mode 0666", { name = "/a b", string_from_portable = "READ", mode = 438 } },
    { "mkdir name \"/x\" mode 0755", { name = "/x", mode = 493 } },
    { "set \"/x\" owner 5 group 6", { name = "/x", uid = 5, gid = 6 } },
    { "Timeout before authentication for 192.0.2.5 port 9", { ssh_remote_ipaddr = ip4"192.0.2.5", ssh_remote_port = 9 } },
    { "error: kex_exchange_identification: Connection closed by remote host", { msg = "Connection closed by remote host" } },
}
for _, case in ipairs(CASES) do
    local grammar = printf.match_sample(grammars, case[1])
    assert(grammar, case[1])
    same(grammar:match(case[1]), case[2], case[1])
end
same(printf.match_sample(grammars, "anything else"):match("anything else"), { msg = "anything else" })
for _, text in ipairs{ "", "\0", string.rep("a", 20000), string.rep(": ", 10000), string.rep(" from ", 5000) } do
    printf.match_sample(grammars, text)
end
