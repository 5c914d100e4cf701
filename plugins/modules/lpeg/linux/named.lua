-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# named: grammar for the messages of BIND

## Grammars

`syslog_grammar` captures a table: `dns_error`, `dns_name`, `dns_type`, `dns_class`, `dns_domain`, `dns_addr`,
`dns_port`, `dns_client_addr`, `dns_client_port`, `dns_client_signer`, `dns_view`, `dns_nameserver`, `dns_serial`,
`dns_clients_per_query`, `dns_message`, as the message has them. Addresses are fields with their representation.
--]]

local l    = require "lpeg"
local form = require "lpeg.form"

local M = {}
setfenv(1, M)

local types = { signer = (1 - l.S" :")^1, object = l.P"@0x" * l.R("09", "af", "AF")^1 * " " }

local server = "{dns_addr:ip}#{dns_port:int}"
local client = "{dns_client_addr:ip}#{dns_client_port:int}"

syslog_grammar = form.grammar({
    "client {?{:object}}" .. client .. "{?/key {dns_client_signer:signer}}{? ({dns_name})}{?: view {dns_view}}: {dns_message}",
    "{dns_error=lame server} resolving '{dns_name}' (in '{dns_domain}'?): " .. server,
    "{dns_error=DNS format error} from " .. server .. " resolving {dns_name}/{dns_type}{? for client " .. client
        .. "}: {dns_message}",
    "{dns_error=skipping nameserver} '{dns_nameserver}' because it is a CNAME, while resolving '{dns_name}'",
    "success resolving '{dns_name}/{dns_type}' (in '{dns_domain}'?) after {dns_message}",
    "zone {dns_domain}/{dns_class}{?/{dns_view}}: {dns_message=sending notifies} (serial {dns_serial:int})",
    "clients-per-query {=decreased|increased} to {dns_clients_per_query:int}",
    "error ({dns_error}) resolving '{dns_name}/{dns_type}/{dns_class}': " .. server,
    "{dns_error} resolving '{dns_name}/{dns_type}/{dns_class}': " .. server,
}, types)

return M
