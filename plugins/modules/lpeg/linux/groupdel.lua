-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# groupdel: grammar for its messages

## Grammars

`syslog_grammar` captures a table: `group_name`, and `group_dbname` where the message names it.
--]]

local form = require "lpeg.form"

local M = {}
setfenv(1, M)

syslog_grammar = form.grammar{
    "group '{group_name}' removed{? from {group_dbname}}",
}

return M
