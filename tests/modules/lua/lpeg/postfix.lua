-- Messages of Postfix.
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

local postfix_match = require "lpeg.postfix".postfix_match

local function ip4(value) return { value = value, representation = "ipv4" } end
local function name(value) return { value = value, representation = "hostname" } end
local function n(value) return { value = value, value_type = 2 } end

local CASES = {
    { "smtpd", "connect from mx.example.com[192.0.2.5]",
      { postfix_client_hostname = name"mx.example.com", postfix_client_ip = ip4"192.0.2.5" } },
    { "smtpd", "disconnect from unknown[unknown] ehlo=1 quit=1 commands=2", { postfix_client_hostname = name"unknown" } },
    { "smtpd", "lost connection after DATA (12 bytes) from 192.0.2.5[192.0.2.5]:25",
      { postfix_smtpd_lostconn_data = "lost connection", postfix_smtp_stage = "DATA", postfix_client_hostname = ip4"192.0.2.5",
        postfix_client_ip = ip4"192.0.2.5", postfix_client_port = n(25) } },
    { "smtpd", "4104E3D: reject: RCPT from a[192.0.2.5]: 554 5.7.1 <x@y>: Relay access denied; from=<a@b> to=<x@y> proto=ESMTP helo=<a>",
      { postfix_queueid = "4104E3D", postfix_action = "reject", postfix_smtp_stage = "RCPT", postfix_client_hostname = name"a",
        postfix_client_ip = ip4"192.0.2.5", postfix_status_code = n(554), postfix_status_code_enhanced = "5.7.1",
        postfix_status_data = "x@y", postfix_status_message = "Relay access denied",
        postfix_keyvalue_data = "from=<a@b> to=<x@y> proto=ESMTP helo=<a>" } },
    { "submission/smtpd", "4104E3D: client=a[192.0.2.5], sasl_method=PLAIN, sasl_username=ann",
      { postfix_queueid = "4104E3D", postfix_keyvalue_data = "client=a[192.0.2.5], sasl_method=PLAIN, sasl_username=ann" } },
    { "smtp", "4104E3D: lost connection with mx[192.0.2.5] while sending message body",
      { postfix_queueid = "4104E3D", postfix_smtp_lostconn_data = "lost connection", postfix_relay_hostname = name"mx",
        postfix_relay_ip = ip4"192.0.2.5", postfix_smtp_lostconn_reason = "sending message body" } },
    { "smtp", "Trusted TLS connection established to mx[192.0.2.5]:25: TLSv1.3 with cipher TLS_AES (256/256 bits) key-exchange X25519",
      { postfix_relay_hostname = name"mx", postfix_relay_ip = ip4"192.0.2.5", postfix_relay_port = n(25), postfix_tls_version = "TLSv1.3",
        postfix_tls_cipher = "TLS_AES", postfix_tls_cipher_size = "256/256" } },
    { "qmgr", "4104E3D: from=<a@b>, size=5, nrcpt=1 (queue active)",
      { postfix_queueid = "4104E3D", postfix_keyvalue_data = "from=<a@b>, size=5, nrcpt=1" } },
    { "qmgr", "4104E3D: removed", { postfix_queueid = "4104E3D" } },
    { "anvil", "statistics: max connection rate 2/60s for (smtp:192.0.2.5) at Mar 11 22:14:15",
      { postfix_anvil_conn_rate = n(2), postfix_anvil_conn_period = "60s", postfix_service = "smtp", postfix_client_ip = ip4"192.0.2.5",
        postfix_anvil_timestamp = "Mar 11 22:14:15" } },
    { "postscreen", "ALLOWLISTED [192.0.2.5]:4242", { postfix_postscreen_access = "ALLOWLISTED", postfix_client_ip = ip4"192.0.2.5", postfix_client_port = n(4242) } },
    { "trivial-rewrite", "warning: do not list domain x", { postfix_message_level = "warning", postfix_message = "do not list domain x" } },
    { "bounce", "3B5F2A1C0: sender non-delivery notification: 4CLkCx4Nzlz2R1F",
      { postfix_queueid = "3B5F2A1C0", postfix_bounce_queueid = "4CLkCx4Nzlz2R1F" } },
}
for _, case in ipairs(CASES) do same(postfix_match("postfix/" .. case[1], case[2]), case[3], case[2]) end

same(postfix_match("postfix/lmtp",
        "7EE668039: to=<ann@example.com>, orig_to=<all@example.com>, relay=mx.example.com[192.0.2.5]:25, delay=3.5,"
        .. " delays=0.25/0.5/1/1.75, dsn=2.0.0, status=sent (250 2.0.0 Ok (really))", true),
    { postfix_queueid = "7EE668039", postfix_to = "ann@example.com", postfix_orig_to = "all@example.com",
      postfix_relay_hostname = name"mx.example.com", postfix_relay_ip = ip4"192.0.2.5", postfix_relay_port = n(25),
      postfix_delay = 3.5, postfix_delay_before_qmgr = 0.25, postfix_delay_in_qmgr = 0.5, postfix_delay_conn_setup = 1,
      postfix_delay_transmission = 1.75, postfix_dsn = "2.0.0", postfix_status = "sent", postfix_smtp_response = "250 2.0.0 Ok (really)" })
same(postfix_match("postfix/qmgr", "4104E3D: from=<>, size=5120, nrcpt=2 (queue active)", true),
    { postfix_queueid = "4104E3D", postfix_from = "", postfix_size = n(5120), postfix_nrcpt = n(2) })
same(postfix_match("postfix/smtpd", "4104E3D: client=a[192.0.2.5], sasl_method=PLAIN, sasl_username=ann", true),
    { postfix_queueid = "4104E3D", postfix_client_hostname = name"a", postfix_client_ip = ip4"192.0.2.5",
      postfix_sasl_method = "PLAIN", postfix_sasl_username = "ann" })
same(postfix_match("postfix/pickup", "4104E3D: uid=1000 from=<ann>", true),
    { postfix_queueid = "4104E3D", postfix_uid = n(1000), postfix_from = "ann" })
same(postfix_match("postfix/pipe", "4104E3D: to=<a@b>, relay=dovecot, delay=x, dsn=2.0.0, status=sent (ok)", true),
    { postfix_queueid = "4104E3D", postfix_to = "a@b", postfix_relay = "dovecot", postfix_dsn = "2.0.0", postfix_status = "sent",
      postfix_pipe_response = "ok" })

same(postfix_match("smtpd", "connect from a[192.0.2.5]"), nil, "no program of Postfix")
same(postfix_match("postfix/unknown", "connect from a[192.0.2.5]"), nil)
same(postfix_match("postfix/", "x"), nil)
same(postfix_match("postfix/smtpd", ""), nil)
assert(not pcall(postfix_match, nil, "x"))
assert(not pcall(postfix_match, "postfix/smtpd", nil))
for _, program in ipairs{ "smtpd", "smtp", "cleanup", "qmgr", "postscreen", "anvil", "pipe", "error", "mc-milter" } do
    for _, text in ipairs{ "\0", string.rep("a", 100000), string.rep("ABCDEF0: ", 20000), string.rep("; a=", 20000),
                           "ABCDEF0: " .. string.rep("a=<, ", 20000), "ABCDEF0: " .. string.rep(">", 100000) } do
        postfix_match("postfix/" .. program, text)
        postfix_match("postfix/" .. program, text, true)
    end
end
