-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# sudo: grammar for its messages

## Grammars

`syslog_grammar` captures a table: `sudo_message` (who called sudo), `sudo_error` (such as "command not allowed"),
`sudo_tty`, `sudo_chroot`, `sudo_pwd`, `sudo_user`, `sudo_group`, `sudo_tsid`, `sudo_env` where they are there, and
`sudo_command`, or the members of a message of PAM (`lpeg.linux.pam`).
--]]

local l    = require "lpeg"
local form = require "lpeg.form"
local pam  = require "lpeg.linux.pam".syslog_grammar

local M = {}
setfenv(1, M)

local P = l.P
local types = { error = ((1 - l.S" ;=")^1 + (P" " - P" ; "))^1, pad = P" "^0 }

syslog_grammar = form.grammar({
    "{:pad}{sudo_message} : {?{sudo_error:error} ; }{?TTY={sudo_tty} ; }{?CHROOT={sudo_chroot} ; }{?PWD={sudo_pwd} ; }"
        .. "{?USER={sudo_user} ; }{?GROUP={sudo_group} ; }{?TSID={sudo_tsid} ; }{?ENV={sudo_env} ; }"
        .. "COMMAND={sudo_command}",
}, types) + pam

return M
