-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# systemd-logind: grammar for its messages

## Grammars

`syslog_grammar` captures a table: `sd_message` ("SESSION_START" or "SESSION_STOP"), `session_id` (a number),
`session_type` ("c" for a session that is not one of audit, else none), `user_id` (the name of the user),
and of newer versions `session_class` and `session_kind`.
--]]

local l    = require "lpeg"
local form = require "lpeg.form"

local M = {}
setfenv(1, M)

-- Names may hold dots: the name ends before the last.
local types = { user = ((1 - l.P".")^1 + l.P"." * #l.P(1))^1 }

syslog_grammar = form.grammar({
    "New session {?{session_type=c}}{session_id:int} of user {user_id:user}.{sd_message:=SESSION_START}",
    "New session '{?{session_type=c}}{session_id:int}' of user '{user_id}' with class '{session_class}'"
        .. " and type '{session_kind}'.{sd_message:=SESSION_START}",
    "Removed session {?{session_type=c}}{session_id:int}.{sd_message:=SESSION_STOP}",
}, types)

return M
