-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Syslog: RFC 5424, RFC 3164, what syslog daemons write into files, and rsyslog's templates

Decodes one syslog line. Without a template it may have any of these forms:

    <34>1 2026-03-11T22:14:15.003Z host app 111 ID47 [exampleSDID@32473 iut="3"] text     RFC 5424
    <34>Oct 11 22:14:15 host app[111]: text                                               RFC 3164
    2026-03-11T22:14:15.003456+01:00 host app[111]: text                                  rsyslog's files
    Oct 11 22:14:15 host app[111]: text                                                   classic files

## Message

| header or field | from |
|---|---|
| Timestamp | the line's time; RFC 3164 has no year: `lpeg.date_time` says which is taken |
| Hostname, Pid | the line; Pid when it is a number |
| Severity | the priority (7 without one) |
| Payload | the text |
| Fields.programname | the app name or tag |
| Fields.syslogfacility | the priority's facility (an integer) |
| Fields.msgid, Fields.procid | RFC 5424; procid when it is no number |
| Fields["sd.ID.PARAM"] | RFC 5424 structured data |

With a template the fields are the properties of the template that are not headers: see `lpeg.syslog`.

## Configuration

```lua
decoder_module = "decoders.syslog"
decoders_syslog = {
    -- Hours that a time without zone is behind UTC; whole hours may be negative. Not used with a template.
    tz_offset_hours = 0,
    -- The template in rsyslog.conf; a line must match it.
    -- template = "<%PRI%>%TIMESTAMP% %HOSTNAME% %syslogtag:1:32%%msg:::sp-if-no-1st-sp%%msg%",
    -- The name of a field that keeps the whole line.
    -- keep_data = "line",
    -- Decoders of the text, by the name of the program: see lpeg.sub_decoder_util.
    -- sub_decoders = { nginx = "decoders.nginx.access", kernel = "lpeg.linux.kernel" },
    -- printf_messages = { "lpeg.openssh_portable" },
}
```

## Functions

`decode(data, default_headers, mutable)` injects a message. A line in none of the forms is an error that names the
part; one that does not match the template is `decoders.syslog parse failed`; an error of a sub-decoder is
`decoders.syslog.PROGRAM` and its text. Nothing is injected then.
--]]

local l      = require "lpeg"
local math   = require "math"
local string = require "string"
local dt     = require "lpeg.date_time"
local sdu    = require "lpeg.sub_decoder_util"
local syslog = require "lpeg.syslog"

local floor, sub = math.floor, string.sub
local P, R, S, C, Cc, Cs, Ct = l.P, l.R, l.S, l.C, l.Cc, l.Cs, l.Ct
local inject_message = inject_message
local pairs, tonumber, type = pairs, tonumber, type

local cfg = read_config("decoders_syslog") or {}
assert(type(cfg) == "table", "decoders_syslog must be a table")
local keep_data = cfg.keep_data
assert(keep_data == nil or type(keep_data) == "string", "keep_data must be nil, or a string")
local tz_offset = (cfg.tz_offset_hours or 0) * 3600e9
local sub_decoders = sdu.load_sub_decoders(cfg.sub_decoders, cfg.printf_messages)
local has_sub_decoders = cfg.sub_decoders ~= nil
local template = cfg.template and syslog.build_rsyslog_grammar(cfg.template)

local M = {}
setfenv(1, M)

local NAME = "decoders.syslog"
local PRIORITY_MAX = 191
-- Properties of a template that tell the severity.
local SEVERITIES = { "syslogpriority-text", "syslogpriority", "syslogseverity-text", "syslogseverity" }

-- The parts of a line; each captures one value, false if it is not there.
local white    = S" \t\r\n\v\f"
local digit    = R"09"
local absent   = Cc(false)
local nilvalue = P"-" * #white * absent
local word     = C((1 - white)^1)

local priority = P"<" * (digit * digit^-2 / tonumber) * ">"

local local_time = dt.rfc3164_timestamp_ns * (P"." * digit^0)^-1
if tz_offset ~= 0 then
    local_time = local_time / function(ns) return ns + tz_offset end
end

-- What daemons put behind a line does not belong to it. A run of such bytes is read once, so the time stays linear.
local behind = S"\r\n\0"
local text   = C(((1 - behind)^1 + behind^1 * #P(1))^0)

local process = (digit^1 * #(P"]" + white)) / tonumber
local tag = C((1 - white - S"[:")^1)
    * (P"[" * (process + C((1 - P"]")^0)) * "]" * P":"^-1 + P":" * absent)
    * white^-1

-- A host does not end with a colon: what does is the tag of a line without a host.
local host = C(((1 - white - P":")^1 + P":"^1 * #(1 - white))^1) * " " + absent * #((1 - white)^1 * " ")

local old_time = local_time + dt.rfc3339_ns
local old_line = old_time * " " * host * (tag + absent * absent) * absent * absent * text

-- A structured element is an array: its id, then names and values.
local quoted    = (1 - S'"\\')^0
local value     = C(quoted) * '"' + Cs((quoted * (P"\\" / "" * S'"\\]' + "\\" * P(1)))^0 * quoted) * '"'
local parameter = white^1 * C((1 - white - S']="')^1) * '="' * value
local element   = Ct("[" * C((1 - white - S']="')^1) * parameter^0 * "]")
local elements  = P"-" * absent + Ct(element^1)

local version  = P"1 "
local new_line = version * (nilvalue + dt.rfc3339_ns) * " " * (nilvalue + word) * " " * (nilvalue + word) * " "
    * (nilvalue + process + word) * " " * (nilvalue + word) * " "

-- Captures priority, time, host, program, process, message id, elements and text.
local line = (priority + absent)
    * (new_line * elements * (P" " * P"\239\187\191"^-1 * text + (behind^1 + -1) * Cc"")
       + old_line)

-- What is wrong with a line: the first text whose pattern does not match behind those before.
local reason = (function()
    local some      = (1 - white)^1
    local header    = #(some * " " * some * " " * some * " " * some * " " * some * " ")
    local timestamp = nilvalue + dt.rfc3339_ns
    local old_stamp = R("AZ", "az") * R("AZ", "az") * R("AZ", "az") * white^1 * digit * digit^-1
                    * " " * digit * digit * ":" * digit * digit * ":" * digit * digit * (P"." * digit^0)^-1 * " "
    local new_stamp = digit * digit * digit * digit * "-" * digit * digit * "-" * digit * digit * S"Tt" * some * " "
    local of_new = -header * Cc"not an RFC 5424 header"
        + -(timestamp * " ") * Cc"invalid RFC 5424 timestamp"
        + Cc"invalid RFC 5424 structured data"
    local of_old = -(old_stamp + new_stamp) * Cc"no syslog timestamp"
        + -(old_time * " ") * Cc"invalid syslog timestamp"
        + Cc"no hostname"
    return (P"<" * digit * digit^-2 * ">")^-1 * (version * of_new + of_old)
end)()

-- A message that is filled for each line. Sub-decoders may keep it, so they get a new one.
local kept_msg, kept_fields = {}, {}

local function new_message(default_headers)
    local msg, fields = {}, {}
    if not has_sub_decoders then
        msg, fields = kept_msg, kept_fields
        for k in pairs(msg) do msg[k] = nil end
        for k in pairs(fields) do fields[k] = nil end
    end
    if default_headers then
        for k, v in pairs(default_headers) do msg[k] = v end
        local defaults = default_headers.Fields
        if type(defaults) == "table" then
            for k, v in pairs(defaults) do fields[k] = v end
        end
    end
    msg.Fields = fields
    return msg, fields
end

local function add_elements(fields, list)
    for i = 1, #list do
        local element_of = list[i]
        local prefix = "sd." .. element_of[1] .. "."
        for k = 2, #element_of, 2 do fields[prefix .. element_of[k]] = element_of[k + 1] end
    end
end

-- Injects the message, or has the sub-decoder of its program do that.
local function finish(msg, program, payload)
    local decode_payload = has_sub_decoders and sub_decoders[program or ""]
    if not decode_payload then
        msg.Payload = payload
        inject_message(msg)
        return
    end
    local err = decode_payload(payload, msg, true)
    if err then return NAME .. "." .. (program or "") .. " " .. err end
end

local function decode_line(data, default_headers)
    local number, time, hostname, program, id, msgid, list, payload = line:match(data)
    if not payload then return reason:match(data) end
    if number and number > PRIORITY_MAX then return "invalid syslog priority" end
    local msg, fields = new_message(default_headers)
    if number then
        msg.Severity = number % 8
        fields.syslogfacility = { value = floor(number / 8), value_type = 2 }
    end
    if time then msg.Timestamp = time end
    if hostname then msg.Hostname = hostname end
    if program then fields.programname = program end
    if msgid then fields.msgid = msgid end
    if type(id) == "number" then msg.Pid = id elseif id then fields.procid = id end
    if list then add_elements(fields, list) end
    if keep_data then fields[keep_data] = data end
    return finish(msg, program, payload)
end

-- Moves the members that are headers from the fields of a template to the message.
local function set_headers(msg, fields)
    local pri = fields.pri
    if pri then
        msg.Severity, fields.syslogfacility, fields.pri = pri.severity, pri.facility, nil
    else
        for i = 1, #SEVERITIES do
            local name = SEVERITIES[i]
            msg.Severity, fields[name] = fields[name] or msg.Severity, nil
        end
    end
    local source = fields.syslogtag
    if source then
        fields.syslogtag = nil
        fields.programname, fields.procid = source.programname, source.procid or fields.procid
        msg.Pid = source.pid or msg.Pid
    end
    msg.Timestamp = fields.timestamp or msg.Timestamp
    msg.Hostname = fields.hostname or fields.source or msg.Hostname
    fields.timestamp, fields.hostname, fields.source = nil, nil, nil
end

-- Structured data of a template: one table with the parameters, more elements as its array.
local function add_structured_data(fields)
    local data = fields["structured-data"]
    fields["structured-data"] = nil
    local found = data
    for i = 0, data and #data or -1 do
        if i > 0 then found = data[i] end
        for name, value_of in pairs(found) do
            if type(name) == "string" and name ~= "id" then
                fields["sd." .. found.id .. "." .. sub(name, 2)] = value_of
            end
        end
    end
end

local function decode_template(data, default_headers, mutable)
    local fields = template:match(data)
    if not fields then return NAME .. " parse failed" end
    local msg = sdu.copy_message(default_headers, mutable)
    set_headers(msg, fields)
    add_structured_data(fields)
    if keep_data then fields[keep_data] = data end
    local payload, program = fields.msg, fields.programname
    fields.msg = nil
    sdu.add_fields(msg, fields)
    return finish(msg, program, payload)
end

decode = template and decode_template or decode_line

return M
