-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# dhcpd: grammar for its messages

## Grammars

`syslog_grammar` captures a table. Messages of the protocol: `dhcp_type`, `dhcp_client_addr`, `dhcp_client_hw_addr`,
`dhcp_client_hostname`, `dhcp_server_addr`, `dhcp_source`, `dhcp_lease_time`, `dhcp_message`, as they have them. Pools:
`dhcp_pool_result`, `dhcp_pool_id`, `dhcp_network`, `dhcp_lease_count`, `dhcp_free_leases`, `dhcp_backup_leases`,
`dhcp_lts`, `dhcp_hold` or `dhcp_thresh`. Failover: `dhcp_client_addr`, `dhcp_failover_peer`,
`dhcp_bind_update_status`, `dhcp_message`. `dhcp_client_addr` is a field with the representation "ipv4".
--]]

local l    = require "lpeg"
local form = require "lpeg.form"

local M = {}
setfenv(1, M)

local P = l.P
local octet    = l.R("09", "af", "AF") * l.R("09", "af", "AF")
local hardware = octet * (":" * octet)^0

local types = {
    hw     = hardware,
    client = hardware + "<no identifier>",
    source = (1 - l.S": ")^1,
    inside = (1 - P")")^1,
    word   = (1 - P" ")^1,
}

local ending = " via {dhcp_source:source}{? [{dhcp_lease_time:int}]}{?: {dhcp_message}}"

syslog_grammar = form.grammar({
    "{dhcp_type=DHCPDISCOVER} from {dhcp_client_hw_addr:client}{? ({dhcp_client_hostname:inside})}" .. ending,
    "{dhcp_type=DHCPREQUEST} for {dhcp_client_addr:ip4}{? ({dhcp_server_addr:inside})} from {dhcp_client_hw_addr:client}"
        .. "{? ({dhcp_client_hostname:inside})}" .. ending,
    "{dhcp_type=DHCPOFFER|DHCPACK|BOOTREPLY} on {dhcp_client_addr:ip4} to {dhcp_client_hw_addr:word}"
        .. "{? ({dhcp_client_hostname:inside})}" .. ending,
    "{dhcp_type=DHCPACK} to {dhcp_client_addr:ip4} ({dhcp_client_hw_addr:inside}) via {dhcp_source:source}"
        .. "{?: {dhcp_message}}",
    "{dhcp_type=DHCPNAK} on {dhcp_client_addr:ip4} to {dhcp_client_hw_addr:word}" .. ending,
    "{dhcp_type=DHCPINFORM} from {dhcp_client_addr:ip4}" .. ending,
    "{dhcp_type=DHCPRELEASE} of {dhcp_client_addr:ip4} from {dhcp_client_hw_addr:client}"
        .. "{? ({dhcp_client_hostname:inside})} via {dhcp_source:source} ({dhcp_message:inside})",
    "{dhcp_type=BOOTREQUEST} from {dhcp_client_hw_addr:hw}" .. ending,
    "{dhcp_type=BOOTREPLY} for {dhcp_client_addr:ip4} to {:word} ({dhcp_client_hw_addr:hw})" .. ending,
    "{dhcp_pool_result=balancing} pool {dhcp_pool_id} {dhcp_network}  total {dhcp_lease_count:int}"
        .. "  free {dhcp_free_leases:int}  backup {dhcp_backup_leases:int}  lts {dhcp_lts:int}"
        .. "  max-own (+/-){dhcp_hold:int}{?  (requesting peer rebalance!)}",
    "{dhcp_pool_result=balanced|IMBALANCED} pool {dhcp_pool_id} {dhcp_network}  total {dhcp_lease_count:int}"
        .. "  free {dhcp_free_leases:int}  backup {dhcp_backup_leases:int}  lts {dhcp_lts:int}"
        .. "  max-misbal {dhcp_thresh:int}",
    "bind update on {dhcp_client_addr:ip4} from {dhcp_failover_peer} {dhcp_bind_update_status=rejected}: {dhcp_message}",
    "bind update on {dhcp_client_addr:ip4} {dhcp_bind_update_status=got ack} from {dhcp_failover_peer}: {dhcp_message}",
}, types)

return M
