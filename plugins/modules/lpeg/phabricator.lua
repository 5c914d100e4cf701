-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Phabricator: grammars for its logs

## Grammars

`access` matches a line of the access log in its default format, tab-separated; members: `timestamp` (nanoseconds),
`pid`, `hostname`, `ip`, `user`, `controller`, `function`, `path`, `referrer`, `status` and `rtime` (microseconds).
--]]

local l    = require "lpeg"
local dt   = require "lpeg.date_time"
local form = require "lpeg.form"
local ip   = require "lpeg.ip_address"

local M = {}
setfenv(1, M)

access = form.grammar({
    "{timestamp:date}\t{pid:int}\t{hostname}\t{ip:address}\t{user}\t{controller}\t{function}\t{path}\t{referrer}"
        .. "\t{status:int}\t{rtime:int}{:white}",
}, {
    date    = dt.build_strftime_ns_grammar("[%a, %d %b %Y %H:%M:%S %z]"),
    address = ip.v4 + ip.v6,
    white   = l.S" \t\r\n"^0,
})

return M
