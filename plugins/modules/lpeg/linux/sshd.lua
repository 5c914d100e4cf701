-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# sshd: grammar for its messages, with names of its own

New configurations use the specifications of `lpeg.openssh_portable`, which know more messages; this one keeps what is
built on its names running.

## Grammars

`syslog_grammar` captures a table: `sshd_authmsg`, `sshd_method`, `sshd_submethod`, `sshd_info`, `remote_user`,
`remote_host`, `remote_addr`, `remote_port`, `local_addr`, `local_port`, `disconnect_reason`, `disconnect_msg`,
`sshd_subsystem`, `signal`, `listen_address`, `listen_port`, `sshd_errorlevel`, `sshd_error`, `set`, as the message has
them. Addresses are fields with their representation; `signal` and `listen_port` are texts.
--]]

local l    = require "lpeg"
local form = require "lpeg.form"

local M = {}
setfenv(1, M)

local P = l.P
local types = {
    method = (1 - l.S"/ ")^1,
    digits = l.R"09"^1,
    set    = P"Set " * P(1)^1,
    ssh    = P"ssh2" + "ssh1",
}

local remote = "{remote_addr:ip}{? port {remote_port:int}}"

syslog_grammar = form.grammar({
    "{sshd_authmsg=Accepted|Failed|Partial|Postponed} {sshd_method:method}{?/{sshd_submethod:method}} for {?invalid user }"
        .. "{remote_user} from {remote_addr:ip} port {remote_port:int} {:ssh}{?: {sshd_info}}",
    "Received disconnect from " .. remote .. ":{? }{?{disconnect_reason:int}: }{disconnect_msg}",
    "reverse mapping checking getaddrinfo for {remote_host} [{remote_addr:ip}] failed{? - POSSIBLE BREAK-IN ATTEMPT!}{?.}",
    "subsystem request for {sshd_subsystem}{? by user {remote_user}}",
    "Connection from {remote_addr:ip} port {remote_port:int} on {local_addr:ip} port {local_port:int}{? {*}}",
    "Connection closed by " .. remote .. "{? [preauth]}",
    "Invalid user {remote_user} from " .. remote,
    "input_userauth_request: invalid user {remote_user} [preauth]",
    "Exiting on signal {signal:digits}",
    "Received signal {signal:digits}; terminating.",
    "Server listening on {listen_address:word} port {listen_port:digits}.",
    "Did not receive identification string from " .. remote,
    "{sshd_errorlevel=error|fatal}: {sshd_error}",
    "{set:set}",
}, types)

return M
