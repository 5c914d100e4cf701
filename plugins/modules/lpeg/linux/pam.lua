-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# PAM: grammar for the messages of pam_unix and its like

## Grammars

`syslog_grammar` captures a table with `pam_module`, `pam_service`, `pam_type` and the members of one of these messages;
other grammars, such as that of su, include it.

| message | members |
|---|---|
| session opened | `pam_action`, `user_name`, `login_name`, `uid` (of who opened it); `user_uid` where newer versions write it |
| session closed | `pam_action`, `user_name` |
| authentication failure | `pam_action`, `logname`, `uid`, `euid`, `tty`, `ruser`, `rhost`, `user` if there is one |
| check pass; user unknown | `user_name` if there is one |
--]]

local l    = require "lpeg"
local form = require "lpeg.form"

local M = {}
setfenv(1, M)

local types = { module = l.P"pam_" * (1 - l.P"(")^1, pad = l.P" "^0 }

local header = form.build("{pam_module:module}({pam_service}:{pam_type}): ", types)

syslog_grammar = l.Ct(header * form.any({
    "{pam_action=session opened} for user {user_name}(uid={user_uid:int}) by {login_name}(uid={uid:int}){*}",
    "{pam_action=session opened} for user {user_name} by {login_name}(uid={uid:int}){*}",
    "{pam_action=session closed} for user {user_name}",
    "{pam_action=authentication failure}; logname={logname} uid={uid:int} euid={euid:int} tty={tty} ruser={ruser}"
        .. " rhost={rhost:word}{:pad}{?user={user}}",
    "check pass; user {?({user_name}) }unknown",
}, types))

return M
