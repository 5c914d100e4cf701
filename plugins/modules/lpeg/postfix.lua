-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Postfix: the messages of its programs

## Functions

`postfix_match(programname, message [, extract])` takes the program as syslog names it, such as `postfix/smtpd` or
`postfix/submission/smtpd`, and returns a table of what the message says, or nil.

Members begin with `postfix_`. Hosts and addresses (`client_hostname`, `client_ip`, `relay_hostname`, `relay_ip`,
`server_ip`, `dnsbl_domain`, `dnsbl_result`) are fields with the representation "ipv4", "ipv6" or "hostname". Ports,
sizes and counts (`client_port`, `relay_port`, `server_port`, `status_code`, `anvil_...`, `postscreen_cache_...`,
`postscreen_dnsbl_rank`, `termination_signal`, `nrcpt`, `size`, `uid`) are fields of the integer type,
`{ value = 25, value_type = 2 }`. Other numbers are numbers, the rest are texts.

`keyvalue_data` holds what is written as `key=value`. With `extract` it is replaced by its pairs: `postfix_to`,
`postfix_from`, `postfix_dsn`, ...; of `client`, `relay` and `delays` come `client_hostname`, `client_ip`,
`relay_hostname`, `relay_ip`, `relay_port`, `relay_service`, `delay_before_qmgr`, `delay_in_qmgr`, `delay_conn_setup`
and `delay_transmission`.

Programs: anvil, bounce, cleanup, discard, dnsblog, error, lmtp, local, master, mc-milter, pickup, pipe, postdrop,
postscreen, postsuper, qmgr, scache, sendmail, smtp, smtpd, tlsmgr, tlsproxy, trivial-rewrite, virtual.
--]]

local l      = require "lpeg"
local string = require "string"
local form   = require "lpeg.form"
local ip     = require "lpeg.ip_address"

local P, R, S, C, Cc, Cf, Cg, Ct = l.P, l.R, l.S, l.C, l.Cc, l.Cf, l.Cg, l.Ct
local match = string.match
local ipairs, pairs, rawset, setmetatable, tonumber = ipairs, pairs, rawset, setmetatable, tonumber

local M = {}
setfenv(1, M)

local digit, alpha = R"09", R("az", "AZ")
local alnum = alpha + digit
local digits = digit^1

local function field(pattern, member, value)
    return Ct(Cg(pattern, "value") * Cg(Cc(value), member))
end

local address = ip.v4_field + ip.v6_field
local name    = field((1 - S"[] ")^1, "representation", "hostname")
local host    = ip.v4_field * #(S"[ :" + -1) + ip.v6_field * #(S"[ " + -1) + name
local integer = field(digits / tonumber, "value_type", 2)

local function until_last(byte)
    return ((1 - P(byte))^1 + P(byte) * #P(1))^0
end

local function one_of(...)
    local choice = P(false)
    for _, text in ipairs{ ... } do choice = choice + text end
    return choice
end

local key = alpha * (alnum + S"_-")^0

local types = {
    queue   = R("09", "af", "AF")^6 * -alnum + alnum^10,
    I       = integer,
    number  = digits * ("." * digits)^-1 / tonumber,
    digits  = digits,
    alnum   = alnum^1,
    dsn     = digit * "." * digit * digit^-2 * "." * digit * digit^-2,
    address = address,
    host    = host,
    period  = digits * S"smhd",
    stage   = one_of("CONNECT", "HELO", "EHLO", "STARTTLS", "AUTH", "MAIL FROM", "MAIL", "RCPT TO", "RCPT", "DATA",
                     "end of DATA", "RSET", "UNKNOWN", "END-OF-MESSAGE", "VRFY", "BDAT", "NOOP", "QUIT", "."),
    action  = one_of("accept", "defer", "discard", "filter", "header-redirect", "hold", "redirect", "reject", "warn"),
    -- What is said of a message ends where its envelope begins.
    said    = (1 - P"; " * key * "=")^1,
    -- The envelope ends at a colon behind its last bracket.
    envelope = ((1 - P">")^1 + (P">" - P">: "))^1 * P">"^-1,
    inner   = until_last")",
}

types.client = Cg(host, "postfix_client_hostname")^-1 * "[" * (Cg(address, "postfix_client_ip") + "unknown") * "]"
    * (":" * (Cg(integer, "postfix_client_port") + "unknown"))^-1
types.relay = Cg(host, "postfix_relay_hostname")^-1
    * "[" * (Cg(address, "postfix_relay_ip") * "]" + Cg((1 - P"]")^1, "postfix_relay_service") * "]")
    * (":" * Cg(integer, "postfix_relay_port"))^-1

local client_ip = (Cg(address, "postfix_client_ip") + "unknown") * #P")"
types.service = Cg((1 - P":")^1, "postfix_service") * ":" * client_ip
    + Cg((1 - P":")^1 * ":" * digits, "postfix_service") * ":" * client_ip

local queue     = "{postfix_queueid:queue}: "
local data      = "{postfix_keyvalue_data}"
local client    = "{:client}"
local warning   = "{?" .. queue .. "}{postfix_message_level=warning|fatal|error|panic|info}: {postfix_message}{?; " .. data .. "}"
local any_data  = queue .. data
local encrypted = "{=Anonymous|Trusted|Untrusted|Verified} TLS connection established {?from " .. client
    .. "}{?to {:relay}}: {postfix_tls_version:word} with cipher {postfix_tls_cipher:word}"
    .. " ({postfix_tls_cipher_size:word} bits){*}"
local delivery  = queue .. data .. " status={postfix_status:alnum}{? ({postfix_smtp_response:inner})}"

local refused = "{?NOQUEUE: }{?" .. queue .. "}{postfix_action:action}: {postfix_smtp_stage:stage} from " .. client
    .. ":{? {postfix_status_code:I} {postfix_status_code_enhanced:dsn}}{? <{postfix_status_data}>:} "
local refused_by_list = refused .. "Service unavailable; {*}[{postfix_status_data}] {postfix_status_message:said}; " .. data
local refused_else    = refused .. "{postfix_status_message:said}; " .. data

local waiting = "{? while {postfix_smtp_lostconn_reason=receiving the initial server greeting|sending message body"
    .. "|sending end of data -- message may be sent more than once}}{*}"

local function answered(response)
    return queue .. data .. ", status={postfix_status} ({" .. response .. ":inner})"
end

local violation = "{postfix_postscreen_violation=BARE NEWLINE|COMMAND TIME LIMIT|COMMAND COUNT LIMIT|COMMAND LENGTH LIMIT"
    .. "|COMMAND PIPELINING|DNSBL|HANGUP|NON-SMTP COMMAND|PREGREET}"

local smtp = {
    delivery,
    "connect to {:relay}: {=Connection timed out|No route to host|Connection refused|Network is unreachable}",
    queue .. "{postfix_smtp_lostconn_data=lost connection|timeout|SSL_accept error} with {:relay}" .. waiting,
    queue .. "conversation with {:relay} timed out" .. waiting,
    queue .. "host {:relay} said: {postfix_smtp_response} (in reply to {postfix_smtp_stage:stage} command)",
    "virtual_dns_lookup: {dns_name} ({dns_type})",
    encrypted,
    warning,
}

local FORMS = {
    anvil = {
        "statistics: max connection rate {postfix_anvil_conn_rate:I}/{postfix_anvil_conn_period:period}"
            .. " for ({:service}) at {postfix_anvil_timestamp}",
        "statistics: max connection count {postfix_anvil_conn_count:I} for ({:service}) at {postfix_anvil_timestamp}",
        "statistics: max cache size {postfix_anvil_cache_size:I} at {postfix_anvil_timestamp}",
    },
    bounce = {
        queue .. "sender {=non-delivery|delivery status|delay} notification: {postfix_bounce_queueid:queue}",
    },
    cleanup = {
        queue .. "milter-{postfix_milter_result:action}: {postfix_milter_message:said}; {postfix_keyvalue_data:envelope}"
            .. "{?: {postfix_milter_data}}",
        warning,
        any_data,
    },
    discard = { queue .. data .. " status={postfix_status:alnum} {*}", warning },
    dnsblog = {
        "addr {postfix_client_ip:address} listed by domain {postfix_dnsbl_domain:host} as {postfix_dnsbl_result:address}",
        warning,
    },
    error = { answered"postfix_error_response" },
    ["local"] = { any_data },
    master = {
        "{=daemon started|reload} -- version {postfix_version}, configuration {postfix_config_path}",
        "terminating on signal {postfix_termination_signal:I}",
        warning,
    },
    ["mc-milter"] = { any_data, data },
    pickup = { any_data },
    pipe = { answered"postfix_pipe_response" },
    postdrop = { warning },
    postscreen = {
        "CONNECT from " .. client .. " to [{postfix_server_ip:address}]:{postfix_server_port:I}",
        "{postfix_postscreen_access=DISCONNECT|BLACKLISTED|WHITELISTED|WHITELIST VETO|DENYLISTED|ALLOWLISTED"
            .. "|ALLOWLIST VETO|PASS NEW|PASS OLD} " .. client,
        refused_by_list,
        refused_else,
        "NOQUEUE: reject: CONNECT from " .. client .. ": {postfix_postscreen_toobusy_data}",
        "cache {*} full cleanup: retained={postfix_postscreen_cache_retained:I}"
            .. " dropped={postfix_postscreen_cache_dropped:I} entries",
        violation .. " rank {postfix_postscreen_dnsbl_rank:I} for " .. client,
        violation .. "{? {:digits}}{? after {postfix_postscreen_violation_time:number}} from " .. client
            .. "{? in tests {=after|before} SMTP handshake}{? after {postfix_smtp_stage:stage}}{?: {postfix_postscreen_data}}",
        warning,
    },
    postsuper = {
        queue .. "{postfix_postsuper_action=removed|requeued|placed on hold|released from hold}",
        "{postfix_postsuper_summary_action=Deleted|Requeued|Placed on hold|Released from hold}:"
            .. " {postfix_postsuper_summary_count:number} message{?s}",
    },
    qmgr = {
        queue .. "removed",
        queue .. data .. " (queue active)",
        queue .. "from=<{postfix_from}>, status={postfix_status}, returned to sender",
        warning,
    },
    scache = {
        "statistics: {=address|domain} lookup hits={postfix_scache_hits:number} miss={postfix_scache_miss:number}"
            .. " success={postfix_scache_success:number}%",
        "statistics: max simultaneous domains={postfix_scache_domains:number}"
            .. " addresses={postfix_scache_addresses:number} connection={postfix_scache_connection:number}",
        "statistics: start interval {postfix_scache_timestamp}",
    },
    sendmail = { warning },
    smtp = smtp,
    lmtp = smtp,
    smtpd = {
        "connect from " .. client,
        "disconnect from " .. client .. "{? {*}}",
        "{postfix_smtpd_lostconn_data=lost connection|timeout|SSL_accept error}{? after {postfix_smtp_stage:stage}"
            .. "{? ({:digits} bytes)}} from " .. client .. "{?: {postfix_smtpd_lostconn_reason}}",
        refused_by_list,
        refused_else,
        "improper command pipelining after {postfix_smtp_stage:stage} from " .. client .. ":{postfix_improper_pipelining_data}",
        encrypted,
        warning,
        "proxy-{postfix_proxy_result:action}: {postfix_proxy_smtp_stage:stage}: {?{postfix_proxy_status_code:number} }"
            .. "{?{postfix_proxy_status_code_enhanced:dsn} }{*}; " .. data,
        any_data,
    },
    tlsmgr = { warning },
    tlsproxy = { "{=DISCONNECT|CONNECT}{? from} " .. client, encrypted, warning },
    trivial_rewrite = { warning },
    ["trivial-rewrite"] = { warning },
    virtual = { delivery },
}

-- Made when a program writes its first message: they are large, and few machines run all programs.
local GRAMMARS = setmetatable({}, { __index = function(made, program)
    local forms = FORMS[program]
    if not forms then return nil end
    local grammar = form.grammar(forms, types)
    made[program] = grammar
    return grammar
end })

-- Pairs are separated by commas; those of the envelope by spaces.
local envelope_key = one_of("from", "to", "proto", "helo", "sasl_method", "sasl_username", "sasl_sender") * "="
local pair_end  = P", " * key * "=" + P" " * envelope_key + P","^-1 * -1
local value     = P"<" * C((1 - P">" * pair_end)^0) * ">" + C((1 - pair_end)^0)
local key_value = Cf(Ct"" * (Cg(C(key) * "=" * value) * (P", " + " " + ",")^-1)^0, rawset)

-- Members that are made of the value of a key.
local PARTS = {
    postfix_client = Ct(types.client),
    postfix_relay  = Ct(types.relay),
    postfix_delays = form.grammar({
        "{postfix_delay_before_qmgr:number}/{postfix_delay_in_qmgr:number}/{postfix_delay_conn_setup:number}"
            .. "/{postfix_delay_transmission:number}",
    }, types),
}
GRAMMARS.relay_info    = PARTS.postfix_relay
GRAMMARS.delays        = PARTS.postfix_delays
GRAMMARS.keyvalue_data = key_value

local INTEGERS = { "postfix_nrcpt", "postfix_size", "postfix_uid", "postfix_vrscore", "postfix_vrstate" }

local function extract_pairs(found)
    local extracted = key_value:match(found.postfix_keyvalue_data)
    found.postfix_keyvalue_data = nil
    for name_of, value_of in pairs(extracted) do found["postfix_" .. name_of] = value_of end
    for member, grammar in pairs(PARTS) do
        local parts = found[member] and grammar:match(found[member])
        if parts then
            found[member] = nil
            for name_of, value_of in pairs(parts) do found[name_of] = value_of end
        end
    end
    for i = 1, #INTEGERS do
        local number = tonumber(found[INTEGERS[i]])
        if number then found[INTEGERS[i]] = { value = number, value_type = 2 } end
    end
    found.postfix_delay = tonumber(found.postfix_delay)
end

function postfix_match(programname, message, extract)
    local program = match(programname, "/([^/]+)$")
    local grammar = program and GRAMMARS[program]
    local found = grammar and grammar:match(message)
    if found and extract and found.postfix_keyvalue_data then extract_pairs(found) end
    return found
end

return M
