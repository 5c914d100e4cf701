---@meta

--- The grammars for logs: `lpeg.date_time` and the others. `Pattern` is a pattern of lpeg.
---@alias Pattern userdata

--- A value of a message's field with its representation, such as "ipv4" or "B".
---@class FieldValue
---@field value any
---@field representation? string
---@field value_type? integer

--- Grammars for dates and times.
---@class lpeg.date_time
---@field date_fullyear Pattern
---@field date_month Pattern
---@field date_mabbr Pattern
---@field date_mfull Pattern
---@field date_mday Pattern
---@field date_mday_sp Pattern
---@field time_hour Pattern
---@field time_minute Pattern
---@field time_second Pattern
---@field time_secfrac Pattern
---@field timezone Pattern
---@field timezone_offset Pattern
---@field rfc3339_time_numoffset Pattern
---@field rfc3339_time_offset Pattern
---@field rfc3339_partial_time Pattern
---@field rfc3339_full_date Pattern
---@field rfc3339_full_time Pattern
---@field rfc3339 Pattern
---@field rfc3339_ns Pattern
---@field clf_timestamp Pattern
---@field clf_timestamp_ns Pattern
---@field rfc3164_timestamp Pattern
---@field rfc3164_timestamp_ns Pattern
---@field mysql_timestamp Pattern
---@field mysql_timestamp_ns Pattern
---@field pgsql_timestamp Pattern
---@field pgsql_timestamp_ns Pattern
local lpeg_date_time = {}

---@param format string
---@return Pattern # captures a time table
function lpeg_date_time.build_strftime_grammar(format) end

---@param format string
---@return Pattern # captures nanoseconds
function lpeg_date_time.build_strftime_ns_grammar(format) end

---@param t table?
---@return number
function lpeg_date_time.time_to_ns(t) end

---@param seconds number|string
---@return number
function lpeg_date_time.seconds_to_ns(seconds) end

--- Grammars for addresses and names of hosts.
---@class lpeg.ip_address
---@field v4 Pattern
---@field v6 Pattern
---@field hostname Pattern
---@field host Pattern
---@field v4_field Pattern
---@field v6_field Pattern
---@field host_field Pattern
---@field v4_octets Pattern
local lpeg_ip_address = {}

--- Grammars that read escape sequences, and functions that write them.
---@class lpeg.escape_sequences
---@field c Pattern
---@field json Pattern
---@field percent Pattern
---@field url Pattern
local lpeg_escape_sequences = {}

---@param s string
---@return string
function lpeg_escape_sequences.hex_to_utf8(s) end

---@param s string
---@return string
function lpeg_escape_sequences.hex_to_char(s) end

---@param s string
---@return string
function lpeg_escape_sequences.octal_to_char(s) end

---@param s any
---@return string
function lpeg_escape_sequences.escape_html(s) end

---@param s any
---@return string
function lpeg_escape_sequences.escape_json(s) end

---@param s any
---@return string
function lpeg_escape_sequences.escape_url(s) end

--- Grammars for URIs (RFC 3986).
---@class lpeg.uri
---@field uri Pattern
---@field uri_reference Pattern
---@field url_query Pattern
local lpeg_uri = {}

--- Grammar for key=value pairs.
---@class lpeg.logfmt
---@field grammar Pattern
local lpeg_logfmt = {}

--- Grammar for deltas of a circular buffer.
---@class lpeg.cbufd
---@field grammar Pattern
local lpeg_cbufd = {}

--- Grammar for lines of sendmail.
---@class lpeg.sendmail
---@field grammar Pattern
local lpeg_sendmail = {}

--- Grammar for Phabricator's access log.
---@class lpeg.phabricator
---@field access Pattern
local lpeg_phabricator = {}

--- Grammars for slow query logs.
---@class lpeg.mysql
---@field slow_query_grammar Pattern
---@field short_slow_query_grammar Pattern
---@field mariadb_slow_query_grammar Pattern
---@field mariadb_short_slow_query_grammar Pattern
---@field percona_slow_query_grammar Pattern
local lpeg_mysql = {}

--- Grammars from the log formats of nginx and Apache.
---@class lpeg.common_log_format
---@field nginx_error_grammar Pattern
local lpeg_common_log_format = {}

---@param log_format string
---@return Pattern
function lpeg_common_log_format.build_nginx_grammar(log_format) end

---@param log_format string
---@return Pattern
function lpeg_common_log_format.build_apache_grammar(log_format) end

---@param agent string?
---@return string? browser
---@return number? version
---@return string? system
function lpeg_common_log_format.normalize_user_agent(agent) end

--- Grammars from samples of messages with holes.
---@class lpeg.form
local lpeg_form = {}

---@param form string
---@param types? table<string, Pattern>
---@return Pattern
function lpeg_form.build(form, types) end

---@param forms string[]
---@param types? table<string, Pattern>
---@return Pattern
function lpeg_form.any(forms, types) end

---@param forms string[]
---@param types? table<string, Pattern>
---@return Pattern # captures a table
function lpeg_form.grammar(forms, types) end

--- Grammars from format strings of printf.
---@class lpeg.printf
local lpeg_printf = {}

---@param specification (string|Pattern)[]
---@return Pattern # captures a table
function lpeg_printf.build_grammar(specification) end

---@param messages (string|table)[]
---@param grammars? { [1]: Pattern, [2]: integer }[]
---@param size? integer
---@param module? string
---@return { [1]: Pattern, [2]: integer }[]
function lpeg_printf.load_messages(messages, grammars, size, module) end

---@param grammars { [1]: Pattern, [2]: integer }[]
---@param sample string
---@return Pattern?
function lpeg_printf.match_sample(grammars, sample) end

--- The messages of OpenSSH, for lpeg.printf.
---@class lpeg.openssh_portable
---@field printf_messages table[]
local lpeg_openssh_portable = {}

--- Grammars from rsyslog's templates, and pieces for messages.
---@class lpeg.syslog
---@field severity Pattern
---@field facility Pattern
---@field integer Pattern
---@field float Pattern
---@field notspace Pattern
---@field commonmac Pattern
local lpeg_syslog = {}

---@param template string
---@return Pattern # captures a table
function lpeg_syslog.build_rsyslog_grammar(template) end

---@param name string
---@param stop string|Pattern
---@return Pattern
function lpeg_syslog.capture_until(name, stop) end

---@param name string
---@param stop string|Pattern
---@return Pattern
function lpeg_syslog.capture_followed_by(name, stop) end

--- Messages of Postfix.
---@class lpeg.postfix
local lpeg_postfix = {}

---@param programname string
---@param message string
---@param extract? boolean
---@return table?
function lpeg_postfix.postfix_match(programname, message, extract) end

--- Functions that decode, from a configuration.
---@class lpeg.sub_decoder_util
local lpeg_sub_decoder_util = {}

---@param sub_decoders table?
---@param printf_messages? table
---@return table<string, fun(data: string, headers?: table, mutable?: boolean): string?>
function lpeg_sub_decoder_util.load_sub_decoders(sub_decoders, printf_messages) end

---@param decoder string|table
---@param printf_messages? table
---@return fun(data: string, headers?: table, mutable?: boolean): string?
function lpeg_sub_decoder_util.load_decoder(decoder, printf_messages) end

---@param decoder string|table
---@param printf_messages? table
---@return fun(data: string, headers?: table, mutable?: boolean): string?
function lpeg_sub_decoder_util.load_sub_decoder(decoder, printf_messages) end

---@param msg table?
---@param mutable? boolean
---@return table
function lpeg_sub_decoder_util.copy_message(msg, mutable) end

---@param msg table
---@param fields table
function lpeg_sub_decoder_util.add_fields(msg, fields) end

--- Transformations of messages, for lpeg.sub_decoder_util.
---@class lpeg.heka
local lpeg_heka = {}

---@param msg table
---@param field string
function lpeg_heka.set_uuid(msg, field) end

---@param msg table
---@param field string
function lpeg_heka.set_timestamp(msg, field) end

---@param msg table
---@param field string
function lpeg_heka.set_logger(msg, field) end

---@param msg table
---@param field string
function lpeg_heka.set_hostname(msg, field) end

---@param msg table
---@param field string
function lpeg_heka.set_type(msg, field) end

---@param msg table
---@param field string
function lpeg_heka.set_envversion(msg, field) end

---@param msg table
---@param field string
function lpeg_heka.set_payload(msg, field) end

---@param msg table
---@param field string
function lpeg_heka.set_severity(msg, field) end

---@param msg table
---@param field string
function lpeg_heka.set_pid(msg, field) end

---@param msg table
---@param field string
function lpeg_heka.remove_payload(msg, field) end

---@param msg table
---@param field string
function lpeg_heka.add_normalized_user_agent(msg, field) end

--- A grammar for the messages of one program: lpeg.linux.cron, dhclient, dhcpd, groupadd, groupdel, kernel, login,
--- named, pam, puppet_agent, sshd, su, sudo, systemd_logind, useradd, lpeg.bsd.filterlog.
---@class lpeg.program
---@field syslog_grammar Pattern
local lpeg_program = {}
