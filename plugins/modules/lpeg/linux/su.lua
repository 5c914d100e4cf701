-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# su: grammar for its messages

## Grammars

`syslog_grammar` captures a table: `su_status` ("Successful" or "FAILED"), `su_name` (who one became), `su_oldname`,
`pty`, `pam_error`, or the members of a message of PAM (`lpeg.linux.pam`).
--]]

local form = require "lpeg.form"
local pam  = require "lpeg.linux.pam".syslog_grammar

local M = {}
setfenv(1, M)

syslog_grammar = form.grammar{
    "{su_status=Successful|FAILED} su for {su_name} by {su_oldname}",
    "pam_authenticate: {pam_error}",
    "{=+|-} {pty} {su_oldname}:{su_name}",
    "{?{su_status=FAILED} SU }(to {su_name}) {su_oldname} on {pty}", -- util-linux
} + pam

return M
