-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# useradd: grammar for its messages

## Grammars

`syslog_grammar` captures a table: `user_name`, `uid`, `gid`, `user_home`, `user_shell` and perhaps `from` of a new
user, or `user_name` and `group_name` of one who was added to a group.
--]]

local form = require "lpeg.form"

local M = {}
setfenv(1, M)

syslog_grammar = form.grammar{
    "new user: name={user_name}, UID={uid:int}, GID={gid:int}, home={user_home}, shell={user_shell}{?, from={from}}",
    "add '{user_name}' to {?shadow }group '{group_name}'",
}

return M
