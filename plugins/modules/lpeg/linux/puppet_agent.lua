-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# puppet-agent: grammar for its messages

## Grammars

`syslog_grammar` captures a table: `puppet_resource_path` and `puppet_parameter`, and what happened to them:
`puppet_current_value`, `puppet_should_value`, `puppet_historical_value`, `puppet_noop` (true); `puppet_ensure_parameter`,
`puppet_old_value`, `puppet_new_value`; `puppet_change`; `puppet_msg`, `puppet_callback`, `puppet_callback_target`,
`puppet_events_count`; `puppet_file_path`, `puppet_bucket`, `puppet_file_sum`; `puppet_benchmark_seconds`. Of messages
that tell what the agent is about to do the table is empty.
--]]

local l    = require "lpeg"
local form = require "lpeg.form"

local P, R, Ct = l.P, l.R, l.Ct

local M = {}
setfenv(1, M)

local small    = R("az", "09", "__")
local segment  = R"AZ" * small^0
local kind     = segment * ("::" * segment)^0
local resource = kind * "[" * (1 - P"]")^1 * "]"

local types = {
    resource  = resource,
    path      = ("/" * (resource + kind))^1,
    parameter = small^1,
    -- The last quote ends a value.
    quoted    = ((1 - P"'")^1 + P"'" * #P(1))^0,
}

-- A parameter changed, or would have; what else is said of it is not looked at.
local changes = form.any({
    " current_value {puppet_current_value}, should be {puppet_should_value} (noop)"
        .. "{? (previously recorded value was {puppet_historical_value})}{puppet_noop:=true}",
    " {puppet_ensure_parameter:parameter} changed '{puppet_old_value}' to '{puppet_new_value:quoted}'",
    " {puppet_change=executed successfully}",
    "{*}",
}, types)

syslog_grammar = Ct(form.build("({puppet_resource_path:path}/{puppet_parameter:parameter})", types) * changes
    + form.any({
        "({puppet_resource_path}) {puppet_msg=Triggered} '{puppet_callback}' from {puppet_events_count:int} event{?s}",
        "({puppet_resource_path}) {puppet_msg=Would have triggered} '{puppet_callback}' from {puppet_events_count:int}"
            .. " event{?s}{puppet_noop:=true}",
        "({puppet_resource_path}) Scheduling {puppet_callback} of {puppet_callback_target:resource}",
        "({puppet_resource_path}) Unscheduling {puppet_callback} on {puppet_callback_target:resource}",
        "({puppet_resource_path}) Filebucketed {puppet_file_path} to {puppet_bucket} with sum {puppet_file_sum}",
        "{puppet_msg=Finished catalog run|Applied catalog} in {puppet_benchmark_seconds:float} seconds",
        "{=Retrieving pluginfacts|Retrieving plugin|Loading facts}",
        "{=Caching catalog for |Applying configuration version '|Computing checksum on file }{*}",
        "Run of Puppet configuration client already in progress; skipping ({*}",
    }, types))

return M
