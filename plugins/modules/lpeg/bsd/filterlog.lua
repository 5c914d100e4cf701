-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# filterlog: grammar for the packet log of pfSense

The format is that of pfSense 2.2 and later, comma-separated.

## Grammars

`syslog_grammar` captures a table. Numbers are fields of the integer type, `{ value = 85, value_type = 2 }`:
`rule_number`, `sub_rule_number`, `tracker`, `tos`, `ttl`, `id`, `offset`, `protocol_id`, `hop_limit`, `length`,
`source_port`, `destination_port`, `data_length`, `sequence_number`, `ack_number`, `tcp_window`, `urgent_pointer`, those
of ICMP (`echo_id`, `echo_sequence`, `unreachable_protocol_id`, `unreachable_port_number`, `icmp_mtu`, `icmp_id`,
`icmp_sequence`, `icmp_otime`, `icmp_rtime`, `icmp_ttime`) and of CARP (`carp_ttl`, `vhid`, `version`, `advbase`,
`advskew`). Texts: `anchor`, `real_interface`, `reason`, `action`, `direction`, `ip_version`, `ecn`, `flags`,
`protocol_text`, `class`, `flow_label`, `source_address`, `destination_address`, `tcp_flags`, `tcp_options`,
`icmp_type`, `icmp_destination_ip_address`, `icmp_description`, `carp_type`. What is empty has an empty text, and no
number.
--]]

local l    = require "lpeg"
local form = require "lpeg.form"
local ip   = require "lpeg.ip_address"

local tonumber = tonumber

local M = {}
setfenv(1, M)

local P, R, S, Cc, Cg, Ct = l.P, l.R, l.S, l.Cc, l.Cg, l.Ct

local function integer(value)
    return Ct(Cg(value, "value") * Cg(Cc(2), "value_type"))
end

local digits, xdigits = R"09"^1, R("09", "af", "AF")^1

local types = {
    n       = integer(digits / tonumber),
    hex     = integer(P"0x" * (xdigits / function(text) return tonumber(text, 16) end)),
    mask    = P"0x" * xdigits,
    text    = (1 - P",")^0,
    some    = (1 - P",")^1,
    address = ip.v4 + ip.v6,
    tcp     = S"SAFRPUEWC.eNw"^0,
    range   = (P":" * digits)^-1,
}

local function part(text)
    return form.build(text, types)
end

local rule = part("{rule_number:n},{?{sub_rule_number:n}},{anchor:text},{tracker:n},{real_interface:text},{reason:text},"
    .. "{action:text},{direction=in|out},{ip_version=4|6}")

local addresses = part",{length:n},{source_address:address},{destination_address:address}"

local ports = ",{source_port:n},{destination_port:n},{data_length:n}"
local tcp = part(ports .. "{?,{tcp_flags:tcp},{?{sequence_number:n}{:range}},{?{ack_number:n}},{?{tcp_window:n}},"
    .. "{?{urgent_pointer:n}},{tcp_options:text}}")
local udp = part(ports)
local carp = part(",{carp_type:text},{carp_ttl:n},{vhid:n},{version:n},{advbase:n},{advskew:n}")

local unreachable = "{icmp_destination_ip_address:address},{unreachable_protocol_id:n}"
local icmp = part",{icmp_type=request|reply},{echo_id:n},{echo_sequence:n}"
    + part(",{icmp_type=unreachport}," .. unreachable .. ",{unreachable_port_number:n}")
    + part(",{icmp_type=unreachproto}," .. unreachable)
    + part",{icmp_type=needfrag},{icmp_destination_ip_address:address},{icmp_mtu:n}"
    + part",{icmp_type=tstampreply},{icmp_id:n},{icmp_sequence:n},{icmp_otime:n},{icmp_rtime:n},{icmp_ttime:n}"
    + part",{icmp_type=tstamp},{icmp_id:n},{icmp_sequence:n}"
    + part",{?{icmp_type:some}}{?,{icmp_description:text}}"

-- The protocol stands before the addresses, what belongs to it behind them; `rest` stands between.
local function protocols(rest)
    rest = part(rest) * addresses
    return part"{protocol_text=tcp|TCP}" * rest * tcp^-1
         + part"{protocol_text=udp|UDP}" * rest * udp^-1
         + part"{protocol_text=icmp6|ICMPv6|icmp|ICMP}" * rest * icmp^-1
         + part"{protocol_text=carp|CARP}" * rest * carp^-1
         + part"{protocol_text:text}" * rest
end

local ipv4 = part(",{?{tos:hex}},{ecn:text},{?{ttl:n}},{?{id:n}},{?{offset:n}},{flags:text},{protocol_id:n},") * protocols""
local ipv6 = part",{class:mask},{flow_label:text},{?{hop_limit:n}}," * protocols",{protocol_id:n}"

syslog_grammar = Ct(rule * (ipv4 + ipv6)^-1)

return M
