-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# login: grammar for its messages

## Grammars

`syslog_grammar` captures a table: `failcount`, `tty`, `from`, `user`, `pam_error`, as the message has them.
--]]

local form = require "lpeg.form"

local M = {}
setfenv(1, M)

syslog_grammar = form.grammar{
    "FAILED LOGIN ({failcount:int}) on '{tty}'{? from '{from}'} FOR '{user}', {pam_error}",
    "ROOT LOGIN{:spaces}on '{tty}'{? from '{from}'}",
    "{=LOGIN|DIALUP AT} ON {tty} BY {user}{? FROM {from}}",
}

return M
