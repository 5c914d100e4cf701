-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# kernel: grammar for packet logs of netfilter, and for segmentation faults

## Grammars

`syslog_grammar` captures a table with `monotonic_timestamp` (seconds since the start) and the members of one of:

- netfilter: `nf_prefix`, `nf_in_interface`, `nf_out_interface`, `nf_dst_mac`, `nf_src_mac`, `nf_type_mac`,
  `nf_src_ip`, `nf_dst_ip` (fields with their representation), `nf_len`, `nf_tos`, `nf_prec`, `nf_ttl`, `nf_id`,
  `nf_ce`, `nf_df`, `nf_mf` (true if set), `nf_frag`, `nf_tc`, `nf_hoplimit`, `nf_flowlbl`, `nf_protocol`, then
  `nf_spt`, `nf_dpt`, `nf_seq`, `nf_ack`, `nf_window`, `nf_res`, `nf_tcp_FLAG` (true), `nf_urgp`, `nf_udp_len`,
  `nf_icmp_type`, `nf_icmp_code`, `nf_icmp_id`, `nf_icmp_seq`, `nf_icmp_parameter`, `nf_icmp_gateway`, the same of
  `nf_icmpv6_`, `nf_icmpv6_pointer`, `nf_icmpv6_mtu`, and `nf_uid`, `nf_gid`, `nf_mark`;
- a fault: `fault_process_name`, `fault_process_pid`, `fault_type`, `fault_at` (a number), `fault_instruction_pointer`,
  `fault_stack_pointer`, `fault_error_bits`, `fault_in`.
--]]

local l      = require "lpeg"
local form   = require "lpeg.form"
local syslog = require "lpeg.syslog"

local ipairs, tonumber = ipairs, tonumber

local M = {}
setfenv(1, M)

local P, R, Ct = l.P, l.R, l.Ct
local types = {
    mac = syslog.commonmac,
    pad = P" "^0,
    hex = R("09", "af", "AF")^1 / function(text) return tonumber(text, 16) end,
}

local function part(text)
    return form.build(text, types)
end

local header = part"[{:pad}{monotonic_timestamp:float}] "

local flags = ""
for _, flag in ipairs{ "cwr", "ece", "urg", "ack", "psh", "rst", "syn", "fin" } do
    flags = flags .. "{?" .. flag:upper() .. " {nf_tcp_" .. flag .. ":=true}}"
end

local ports = " SPT={nf_spt:int} DPT={nf_dpt:int}"
local tcp = part("PROTO={nf_protocol=TCP}" .. ports .. "{? SEQ={nf_seq:int} ACK={nf_ack:int}} WINDOW={nf_window:int}"
    .. " RES={nf_res:word} " .. flags .. "URGP={nf_urgp:int}{:pad}")
local udp = part("PROTO={nf_protocol=UDPLITE|UDP}" .. ports .. " LEN={nf_udp_len:int}{:pad}")
local icmp = part("PROTO={nf_protocol=ICMP} TYPE={nf_icmp_type:int} CODE={nf_icmp_code:int}"
    .. "{? ID={nf_icmp_id:int} SEQ={nf_icmp_seq:int}}{? PARAMETER={nf_icmp_parameter:int}}"
    .. "{? GATEWAY={nf_icmp_gateway:ip4}}{:pad}")
local icmpv6 = part("PROTO={nf_protocol=ICMPv6} TYPE={nf_icmpv6_type:int} CODE={nf_icmpv6_code:int}"
    .. "{? ID={nf_icmpv6_id:int} SEQ={nf_icmpv6_seq:int}}{? POINTER={nf_icmpv6_pointer:int}}"
    .. "{? MTU={nf_icmpv6_mtu:int}}{:pad}")
local other = part"PROTO={nf_protocol:word}{:pad}"

local ipv4 = part(" SRC={nf_src_ip:ip4} DST={nf_dst_ip:ip4} LEN={nf_len:int} TOS={nf_tos:word} PREC={nf_prec:word}"
    .. " TTL={nf_ttl:int} ID={nf_id:int} {?CE {nf_ce:=true}}{?DF {nf_df:=true}}{?MF {nf_mf:=true}}"
    .. "{?FRAG:{nf_frag:int} }") * (tcp + udp + icmp + other)
local ipv6 = part(" SRC={nf_src_ip:ip6} DST={nf_dst_ip:ip6} LEN={nf_len:int} TC={nf_tc:int} HOPLIMIT={nf_hoplimit:int}"
    .. " FLOWLBL={nf_flowlbl:int} ") * (tcp + udp + icmpv6 + other)

local netfilter = part("{nf_prefix}IN={nf_in_interface:word} OUT={nf_out_interface:word}"
    .. "{? MAC={nf_dst_mac:mac}:{nf_src_mac:mac}{?:{nf_type_mac:word}}}") * (ipv4 + ipv6)
    * part"{?UID={nf_uid:int} GID={nf_gid:int}{:pad}}{?MARK={nf_mark:word}}"

local fault = part("{fault_process_name}[{fault_process_pid}]: {fault_type=segfault} at {fault_at:hex}"
    .. " ip {fault_instruction_pointer:word} sp {fault_stack_pointer:word} error {fault_error_bits:int}"
    .. "{? in {fault_in:word}}")

syslog_grammar = Ct(header * (netfilter + fault))

return M
