-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# groupadd: grammar for its messages

## Grammars

`syslog_grammar` captures a table: `group_name` and `gid`; `group_dbname` is the file, where one is named.
--]]

local form = require "lpeg.form"

local M = {}
setfenv(1, M)

syslog_grammar = form.grammar{
    "new group: name={group_name}, GID={gid:int}",
    "group added to {group_dbname}: name={group_name}{?, GID={gid:int}}",
}

return M
