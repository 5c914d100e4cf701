-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# cron: grammar for its messages

## Grammars

`syslog_grammar` captures a table: `cron_username`, `cron_event` (such as CMD, LIST, RELOAD) and `cron_detail`, or the
members of a message of PAM (`lpeg.linux.pam`).
--]]

local l    = require "lpeg"
local form = require "lpeg.form"
local pam  = require "lpeg.linux.pam".syslog_grammar

local M = {}
setfenv(1, M)

-- A command may hold parentheses: the detail ends at the last.
local types = { detail = ((1 - l.P")")^1 + l.P")" * #l.P(1))^0 }

syslog_grammar = form.grammar({ "({cron_username}) {cron_event} ({cron_detail:detail})" }, types) + pam

return M
