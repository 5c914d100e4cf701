---@meta

--- The grammars for logs: `lpeg.date_time` and the others.

--- A value of a message's field with its representation, such as "ipv4" or "B".
---@class FieldValue
---@field value any
---@field representation? string
---@field value_type? integer

--- Grammars for dates and times.
---@class lpeg.date_time
---@field date_fullyear lpeg.Pattern
---@field date_month lpeg.Pattern
---@field date_mabbr lpeg.Pattern
---@field date_mfull lpeg.Pattern
---@field date_mday lpeg.Pattern
---@field date_mday_sp lpeg.Pattern
---@field time_hour lpeg.Pattern
---@field time_minute lpeg.Pattern
---@field time_second lpeg.Pattern
---@field time_secfrac lpeg.Pattern
---@field timezone lpeg.Pattern
---@field timezone_offset lpeg.Pattern
---@field rfc3339_time_numoffset lpeg.Pattern
---@field rfc3339_time_offset lpeg.Pattern
---@field rfc3339_partial_time lpeg.Pattern
---@field rfc3339_full_date lpeg.Pattern
---@field rfc3339_full_time lpeg.Pattern
---@field rfc3339 lpeg.Pattern
---@field rfc3339_ns lpeg.Pattern
---@field clf_timestamp lpeg.Pattern
---@field clf_timestamp_ns lpeg.Pattern
---@field rfc3164_timestamp lpeg.Pattern
---@field rfc3164_timestamp_ns lpeg.Pattern
---@field mysql_timestamp lpeg.Pattern
---@field mysql_timestamp_ns lpeg.Pattern
---@field pgsql_timestamp lpeg.Pattern
---@field pgsql_timestamp_ns lpeg.Pattern
local lpeg_date_time = {}

---@param format string
---@return lpeg.Pattern # captures a time table
function lpeg_date_time.build_strftime_grammar(format) end

---@param format string
---@return lpeg.Pattern # captures nanoseconds
function lpeg_date_time.build_strftime_ns_grammar(format) end

---@param t table?
---@return number
function lpeg_date_time.time_to_ns(t) end

---@param seconds number|string
---@return number
function lpeg_date_time.seconds_to_ns(seconds) end

--- Grammars for addresses and names of hosts.
---@class lpeg.ip_address
---@field v4 lpeg.Pattern
---@field v6 lpeg.Pattern
---@field hostname lpeg.Pattern
---@field host lpeg.Pattern
---@field v4_field lpeg.Pattern
---@field v6_field lpeg.Pattern
---@field host_field lpeg.Pattern
---@field v4_octets lpeg.Pattern
local lpeg_ip_address = {}

--- Grammars that read escape sequences, and functions that write them.
---@class lpeg.escape_sequences
---@field c lpeg.Pattern
---@field json lpeg.Pattern
---@field percent lpeg.Pattern
---@field url lpeg.Pattern
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
---@field uri lpeg.Pattern
---@field uri_reference lpeg.Pattern
---@field url_query lpeg.Pattern
local lpeg_uri = {}

--- Grammar for key=value pairs.
---@class lpeg.logfmt
---@field grammar lpeg.Pattern
local lpeg_logfmt = {}

--- Grammar for deltas of a circular buffer.
---@class lpeg.cbufd
---@field grammar lpeg.Pattern
local lpeg_cbufd = {}

--- Grammar for lines of sendmail.
---@class lpeg.sendmail
---@field grammar lpeg.Pattern
local lpeg_sendmail = {}

--- Grammar for Phabricator's access log.
---@class lpeg.phabricator
---@field access lpeg.Pattern
local lpeg_phabricator = {}

--- Grammars for slow query logs.
---@class lpeg.mysql
---@field slow_query_grammar lpeg.Pattern
---@field short_slow_query_grammar lpeg.Pattern
---@field mariadb_slow_query_grammar lpeg.Pattern
---@field mariadb_short_slow_query_grammar lpeg.Pattern
---@field percona_slow_query_grammar lpeg.Pattern
local lpeg_mysql = {}

--- Grammars from the log formats of nginx and Apache.
---@class lpeg.common_log_format
---@field nginx_error_grammar lpeg.Pattern
local lpeg_common_log_format = {}

---@param log_format string
---@return lpeg.Pattern
function lpeg_common_log_format.build_nginx_grammar(log_format) end

---@param log_format string
---@return lpeg.Pattern
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
---@param types? table<string, lpeg.Pattern>
---@return lpeg.Pattern
function lpeg_form.build(form, types) end

---@param forms string[]
---@param types? table<string, lpeg.Pattern>
---@return lpeg.Pattern
function lpeg_form.any(forms, types) end

---@param forms string[]
---@param types? table<string, lpeg.Pattern>
---@return lpeg.Pattern # captures a table
function lpeg_form.grammar(forms, types) end

--- Grammars from format strings of printf.
---@class lpeg.printf
local lpeg_printf = {}

---@param specification (string|lpeg.Pattern)[]
---@return lpeg.Pattern # captures a table
function lpeg_printf.build_grammar(specification) end

---@param messages (string|table)[]
---@param grammars? { [1]: lpeg.Pattern, [2]: integer }[]
---@param size? integer
---@param module? string
---@return { [1]: lpeg.Pattern, [2]: integer }[]
function lpeg_printf.load_messages(messages, grammars, size, module) end

---@param grammars { [1]: lpeg.Pattern, [2]: integer }[]
---@param sample string
---@return lpeg.Pattern?
function lpeg_printf.match_sample(grammars, sample) end

--- The messages of OpenSSH, for lpeg.printf.
---@class lpeg.openssh_portable
---@field printf_messages table[]
local lpeg_openssh_portable = {}

--- Grammars from rsyslog's templates, and pieces for messages.
---@class lpeg.syslog
---@field severity lpeg.Pattern
---@field facility lpeg.Pattern
---@field integer lpeg.Pattern
---@field float lpeg.Pattern
---@field notspace lpeg.Pattern
---@field commonmac lpeg.Pattern
local lpeg_syslog = {}

---@param template string
---@return lpeg.Pattern # captures a table
function lpeg_syslog.build_rsyslog_grammar(template) end

---@param name string
---@param stop string|lpeg.Pattern
---@return lpeg.Pattern
function lpeg_syslog.capture_until(name, stop) end

---@param name string
---@param stop string|lpeg.Pattern
---@return lpeg.Pattern
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
---@field syslog_grammar lpeg.Pattern
local lpeg_program = {}
