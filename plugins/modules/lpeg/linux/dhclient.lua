-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# dhclient: grammar for its messages

## Grammars

`syslog_grammar` captures a table: `dhcp_type`, `dhcp_client_interface`, `dhcp_server_addr`, `dhcp_server_port`,
`dhcp_client_interval_seconds`, `dhcp_client_addr`, `dhcp_client_renewal_seconds`, as the message has them. Addresses
are fields with the representation "ipv4".
--]]

local l    = require "lpeg"
local form = require "lpeg.form"

local M = {}
setfenv(1, M)

-- Newer versions write the transaction.
local types = { xid = (l.P" (xid=0x" * l.R("09", "af", "AF")^1 * ")")^-1 }

syslog_grammar = form.grammar({
    "{dhcp_type=DHCPDISCOVER} on {dhcp_client_interface} to {dhcp_server_addr:ip4} port {dhcp_server_port:int}"
        .. " interval {dhcp_client_interval_seconds:int}{:xid}",
    "{dhcp_type=DHCPREQUEST|DHCPDECLINE|DHCPRELEASE} on {dhcp_client_interface} to {dhcp_server_addr:ip4}"
        .. " port {dhcp_server_port:int}{:xid}",
    "{dhcp_type=DHCPREQUEST} for {dhcp_client_addr:ip4} on {dhcp_client_interface} to {dhcp_server_addr:ip4}"
        .. " port {dhcp_server_port:int}{:xid}",
    "{dhcp_type=DHCPACK|DHCPNAK} from {dhcp_server_addr:ip4}{:xid}",
    "{dhcp_type=DHCPACK|DHCPOFFER} of {dhcp_client_addr:ip4} from {dhcp_server_addr:ip4}{:xid}",
    "bound to {dhcp_client_addr:ip4} -- renewal in {dhcp_client_renewal_seconds:int} seconds.",
}, types)

return M
