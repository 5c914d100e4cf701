---@meta
-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

-- What plugins find, for the Lua language server: completes names, shows arguments, marks what is wrong. Never loaded by the
-- engine. How an editor uses it: plugins/reference/README.md.

-- What the host offers plugins; see plugins/reference/host.md. Which kinds of plugin have a function stands beside it.

---What a plugin gives to `inject_message`. Headers that are absent are filled in.
---@class foresight.Message
---@field Uuid? string 16 bytes, or their text form of 36 characters; default a random one
---@field Timestamp? number nanoseconds since 1970; default now
---@field Type? string
---@field Logger? string default the name of the plugin
---@field Severity? integer 0 (emergency) to 7 (debug)
---@field Payload? string any bytes
---@field EnvVersion? string
---@field Pid? integer default that of the engine
---@field Hostname? string default that of the engine
---@field Fields? table<string, foresight.FieldValue>|foresight.NamedField[]

---@alias foresight.Scalar string|number|boolean
---@alias foresight.FieldValue foresight.Scalar|foresight.Scalar[]|foresight.Field|userdata

---0 string, 1 bytes, 2 integer, 3 double, 4 boolean. By default a string is 0, a number 3, a boolean 4.
---@alias foresight.ValueType 0|1|2|3|4

---@class foresight.Field
---@field value foresight.Scalar|foresight.Scalar[]|userdata one value, or several of one type
---@field value_type? foresight.ValueType
---@field representation? string a unit or a format, such as "B" or "json"
---@field userdata? userdata the object that a light userdata in `value` belongs to

---@class foresight.NamedField: foresight.Field
---@field name string

---What `decode_message` returns.
---@class foresight.DecodedMessage
---@field Uuid string 16 bytes
---@field Timestamp number
---@field Type? string
---@field Logger? string
---@field Severity? integer
---@field Payload? string
---@field EnvVersion? string
---@field Pid? integer
---@field Hostname? string
---@field Fields? foresight.DecodedField[]

---@class foresight.DecodedField
---@field name string
---@field value foresight.Scalar[] always an array
---@field value_type? foresight.ValueType nil for a string
---@field representation? string

---A part of the current message that is copied only where it is used.
---@class foresight.ZeroCopy: userdata

---An output's name for the current message; never looked into.
---@alias foresight.SequenceId lightuserdata

---@class foresight.StreamReader: userdata
local StreamReader = {}

---Looks for the next message, in what was kept and the bytes given.
---@param bytes string|nil more of the stream; nil looks again
---@param decode? boolean false: the frame is enough, the message is not checked
---@return boolean found
---@return integer consumed bytes that were used up
---@return integer needed bytes until there can be a message
---@overload fun(self: foresight.StreamReader, file: file*, decode?: boolean): boolean, integer, integer
function StreamReader:find_message(bytes, decode) end

---Takes one encoded message as the current one.
---@param bytes string
function StreamReader:decode_message(bytes) end

---A part of the message found last, see `read_message`.
---@param name foresight.MessagePart
---@param field_index? integer
---@param array_index? integer
---@return string|number|boolean|nil
function StreamReader:read_message(name, field_index, array_index) end

---@class foresight.MessageMatcher: userdata
local MessageMatcher = {}

---Whether the current message matches.
---@return boolean
function MessageMatcher:eval() end

---A header, `raw`, `framed`, `size`, or `Fields[name]`.
---@alias foresight.MessagePart
---| "Uuid"
---| "Timestamp"
---| "Type"
---| "Logger"
---| "Severity"
---| "Payload"
---| "EnvVersion"
---| "Pid"
---| "Hostname"
---| "raw"
---| "framed"
---| "size"
---| string

---A value of the plugin's configuration. All kinds.
---@param key string
---@return any value a table is the same one at each call
function read_config(key) end

---Injects a message; an input may move its checkpoint with it. All kinds.
---@param message foresight.Message|string|foresight.StreamReader|nil analysis and output plugins: a table only; nil moves only the checkpoint
---@param checkpoint? number|string inputs only
function inject_message(message, checkpoint) end

---Appends to the payload. Analysis plugins.
---@param ... string|number|boolean|userdata|nil
function add_to_payload(...) end

---Injects what was gathered by `add_to_payload`, if anything was. Analysis plugins.
---@param payload_type? string default "txt"
---@param payload_name? string
---@param ... string|number|boolean|userdata|nil appended first
function inject_payload(payload_type, payload_name, ...) end

---A part of the current message, or nil. Analysis and output plugins.
---@param name foresight.MessagePart
---@param field_index? integer which of several Fields of this name, from 0
---@param array_index? integer which value of the Field, from 0
---@param zero_copy? boolean true returns a reader of the part
---@return string|number|boolean|nil
---@overload fun(name: "Timestamp"): number?
---@overload fun(name: "Severity"|"Pid"|"size"): integer?
---@overload fun(name: "Uuid"|"Type"|"Logger"|"Payload"|"EnvVersion"|"Hostname"|"raw"|"framed"): string?
---@overload fun(name: foresight.MessagePart, field_index: integer?, array_index: integer?, zero_copy: true): foresight.ZeroCopy
function read_message(name, field_index, array_index, zero_copy) end

---An encoded message as a table. All kinds.
---@param bytes string|foresight.ZeroCopy
---@return foresight.DecodedMessage
function decode_message(bytes) end

---A message table as bytes. Outputs.
---@param message foresight.Message
---@param framed? boolean
---@return string
function encode_message(message, framed) end

---A reader of framed messages from a stream. Inputs.
---@param name string at most 254 bytes, for errors
---@return foresight.StreamReader
function create_stream_reader(name) end

---False once the input has to end. Inputs.
---@return boolean
function is_running() end

---Says that messages were delivered: all so far (a batch), or those up to `sequence_id`. Outputs.
---@param sequence_id? foresight.SequenceId
---@param failures? integer messages of these that failed
function update_checkpoint(sequence_id, failures) end

---Compiles a `message_matcher` expression. Outputs.
---@param expression string
---@return foresight.MessageMatcher
function create_message_matcher(expression) end

---Writes a line to the log at level 7 and forgets the payload gathered so far. All kinds.
---@param ... any
function print(...) end

---The plugin's own: called with each message, or for an input when it is to read.
---@alias foresight.ProcessMessage
---| fun(checkpoint: number|string|nil): integer, string? inputs
---| fun(): integer, string? analysis plugins
---| fun(sequence_id: foresight.SequenceId): integer, string? outputs

---The plugin's own, for analysis and output plugins: called at its interval, and at the end.
---@alias foresight.TimerEvent fun(ns: number, shutdown: boolean)

---A decoder's function: injects what it found, or returns what is wrong.
---@alias foresight.Decode fun(data: string, default_headers: foresight.Message?, mutable: boolean?): string?

---An encoder's function: the bytes of the current message, or nil to leave it out.
---@alias foresight.Encode fun(): string|foresight.ZeroCopy|nil

--- JSON text to Lua values and back; also a global table.
---@class cjson
---@field null lightuserdata what `null` is decoded to after `decode_null(true)`
---@field _NAME string
---@field _VERSION string
cjson = {}

---@param text string
---@return any
function cjson.decode(text) end

---@param value any
---@return string
function cjson.encode(value) end

---@param setting? boolean|"on"|"off"
---@return boolean
function cjson.decode_invalid_numbers(setting) end

---@param depth? integer
---@return integer
function cjson.decode_max_depth(depth) end

---@param setting? boolean|"on"|"off"
---@return boolean
function cjson.decode_null(setting) end

---@param setting? boolean|"on"|"off"|"null"
---@return boolean|"null"
function cjson.encode_invalid_numbers(setting) end

---@param depth? integer
---@return integer
function cjson.encode_max_depth(depth) end

---@param digits? integer 1 to 17
---@return integer
function cjson.encode_number_precision(digits) end

---@param convert? boolean|"on"|"off"
---@param ratio? integer
---@param safe? integer
---@return boolean convert
---@return integer ratio
---@return integer safe
function cjson.encode_sparse_array(convert, ratio, safe) end

--- Documents that stay out of Lua, and JSON Schema; also a global table. For input and output plugins.
---@class rjson
rjson = {}

--- A value of a document, valid for that document only.
---@alias rjson.value lightuserdata

---@class rjson.field
---@field value rjson.value
---@field userdata rjson.document
---@field representation "json"

---@class rjson.schema

---@class rjson.document
local document = {}

---@param text string
---@param validate_encoding? boolean
---@return rjson.document
function rjson.parse(text, validate_encoding) end

---@param text string
---@return rjson.schema
function rjson.parse_schema(text) end

--- Input plugins put a stream reader in front of the name.
---@param name string `Payload` or `Fields[name]`
---@param field_index? integer
---@param array_index? integer
---@param validate_encoding? boolean
---@return rjson.document
---@overload fun(reader: stream_reader, name: string, field_index?: integer, array_index?: integer, validate_encoding?: boolean): rjson.document
function rjson.parse_message(name, field_index, array_index, validate_encoding) end

---@param document rjson.document
---@param value? rjson.value
---@return rjson.field?
function rjson.make_field(document, value) end

---@return string
function rjson.version() end

---@param text string
---@param validate_encoding? boolean
---@return rjson.document
function document:parse(text, validate_encoding) end

---@param name string
---@param field_index? integer
---@param array_index? integer
---@param validate_encoding? boolean
---@return rjson.document
---@overload fun(self: rjson.document, reader: stream_reader, name: string, field_index?: integer, array_index?: integer, validate_encoding?: boolean): rjson.document
function document:parse_message(name, field_index, array_index, validate_encoding) end

---@param schema rjson.schema
---@return boolean fits
---@return string? first the first violation
---@return string? report all violations, as JSON
function document:validate(schema) end

---@param ... rjson.value|string|integer a value to begin at, then keys and indexes
---@return rjson.value?
function document:find(...) end

---@param ... rjson.value|string|integer
---@return rjson.document?
function document:remove(...) end

---@param ... rjson.value|string|integer
---@return rjson.value?
function document:remove_shallow(...) end

---@param value? rjson.value
---@return string|number|boolean|nil
function document:value(value) end

---@param value? rjson.value
---@return "string"|"number"|"boolean"|"object"|"array"|"null"|nil
function document:type(value) end

---@param value? rjson.value
---@return (fun(): (string|integer)?, rjson.value?)?
function document:iter(value) end

---@param value? rjson.value
---@return integer?
function document:size(value) end

---@param value? rjson.value
---@return rjson.field?
function document:make_field(value) end

---A pattern, or what stands for one: text, number of bytes, truth, grammar, function.
---@alias lpeg.Value lpeg.Pattern|string|number|boolean|table|function

---@class lpeg.Pattern: lpeg
---@operator add(lpeg.Value): lpeg.Pattern
---@operator sub(lpeg.Value): lpeg.Pattern
---@operator mul(lpeg.Value): lpeg.Pattern
---@operator div(string|number|table|function): lpeg.Pattern
---@operator pow(number): lpeg.Pattern
---@operator unm: lpeg.Pattern
---@operator len: lpeg.Pattern

---@class lpeg
local lpeg = {}

---@param patt lpeg.Value
---@param subject string
---@param init? integer
---@param ... any for `Carg`
---@return any ... values of the captures, or the position after the match; nil if it does not match
function lpeg.match(patt, subject, init, ...) end

---@param value lpeg.Value
---@return lpeg.Pattern
function lpeg.P(value) end

---@param bytes string
---@return lpeg.Pattern
function lpeg.S(bytes) end

---@param ... string two bytes each
---@return lpeg.Pattern
function lpeg.R(...) end

---@param name any
---@return lpeg.Pattern
function lpeg.V(name) end

---@param patt lpeg.Value
---@return lpeg.Pattern
function lpeg.B(patt) end

---@param patt lpeg.Value
---@return lpeg.Pattern
function lpeg.C(patt) end

---@param n integer
---@return lpeg.Pattern
function lpeg.Carg(n) end

---@param name any
---@return lpeg.Pattern
function lpeg.Cb(name) end

---@param ... any
---@return lpeg.Pattern
function lpeg.Cc(...) end

---@param patt lpeg.Value
---@param fold fun(accumulated: any, ...: any): any
---@return lpeg.Pattern
function lpeg.Cf(patt, fold) end

---@param patt lpeg.Value
---@param name? any
---@return lpeg.Pattern
function lpeg.Cg(patt, name) end

---@param patt lpeg.Value
---@param f fun(subject: string, position: integer, ...: any): any, ...: any
---@return lpeg.Pattern
function lpeg.Cmt(patt, f) end

---@return lpeg.Pattern
function lpeg.Cp() end

---@param patt lpeg.Value
---@return lpeg.Pattern
function lpeg.Cs(patt) end

---@param patt lpeg.Value
---@return lpeg.Pattern
function lpeg.Ct(patt) end

---@param classes? table
---@return table<string, lpeg.Pattern>
function lpeg.locale(classes) end

---@param n integer
function lpeg.setmaxstack(n) end

---@param value any
---@return "pattern"?
function lpeg.type(value) end

---@return string
function lpeg.version() end

---@class re
local re = {}

---@param text string|lpeg.Pattern
---@param defs? table
---@return lpeg.Pattern
function re.compile(text, defs) end

---@param subject string
---@param text string|lpeg.Pattern
---@param init? integer
---@return any ...
function re.match(subject, text, init) end

---@param subject string
---@param text string|lpeg.Pattern
---@param init? integer
---@return integer? first, integer? last
function re.find(subject, text, init) end

---@param subject string
---@param text string|lpeg.Pattern
---@param replacement string|table|function
---@return string
function re.gsub(subject, text, replacement) end

function re.updatelocale() end

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

-- Types of the modules that plugins compute with.

---@class circular_buffer.buffer
local buffer = {}
---@param ns number
---@param column integer
---@param value number
---@return number?
function buffer:add(ns, column, value) end
---@param ns number
---@param column integer
---@param value number
---@return number?
function buffer:set(ns, column, value) end
---@param ns number
---@param column integer
---@return number?
function buffer:get(ns, column) end
---@param ns number
---@param column integer
---@return number?
function buffer:get_delta(ns, column) end
---@param column integer
---@param start_ns? number
---@param end_ns? number
---@return number[]?
function buffer:get_range(column, start_ns, end_ns) end
---@param column integer
---@param start_ns? number
---@param end_ns? number
---@return number[]?
function buffer:get_range_delta(column, start_ns, end_ns) end
---@return integer rows
---@return integer columns
---@return integer seconds_per_row
function buffer:get_configuration() end
---@return number ns
function buffer:current_time() end
---@param column integer
---@param name string
---@param unit? string
---@param aggregation? "sum"|"min"|"max"|"none"
---@return integer column
function buffer:set_header(column, name, unit, aggregation) end
---@param column integer
---@return string name
---@return string unit
---@return string aggregation
function buffer:get_header(column) end
---@param ns number
---@param column integer
---@param kind "info"|"alert"
---@param text string
---@param delta? boolean
function buffer:annotate(ns, column, kind, text, delta) end
---@param format "cbuf"|"cbufd"
---@return circular_buffer.buffer
function buffer:format(format) end
function buffer:reset_delta() end
---@param text string
function buffer:fromstring(text) end

---@class circular_buffer
circular_buffer = {}
---@param rows integer
---@param columns integer
---@param seconds_per_row integer
---@return circular_buffer.buffer
function circular_buffer.new(rows, columns, seconds_per_row) end
---@return string
function circular_buffer.version() end

---@class hyperloglog.sketch
local sketch = {}
---@param key string|number
---@return boolean altered
function sketch:add(key) end
---@return integer
function sketch:count() end
---@param other hyperloglog.sketch
---@return hyperloglog.sketch
function sketch:merge(other) end
function sketch:clear() end
---@param bytes string
function sketch:fromstring(bytes) end

---@class hyperloglog
hyperloglog = {}
---@return hyperloglog.sketch
function hyperloglog.new() end
---@param first hyperloglog.sketch
---@param second hyperloglog.sketch
---@param ... hyperloglog.sketch
---@return integer
function hyperloglog.count(first, second, ...) end
---@return string
function hyperloglog.version() end

---@class bloom_filter.filter
local bloom = {}
---@param key string|number
---@return boolean added
function bloom:add(key) end
---@param key string|number
---@return boolean found
function bloom:query(key) end
---@return integer
function bloom:count() end
function bloom:clear() end
---@param count integer
---@param bits string
function bloom:fromstring(count, bits) end

---@class bloom_filter
bloom_filter = {}
---@param items integer
---@param probability number
---@return bloom_filter.filter
function bloom_filter.new(items, probability) end
---@return string
function bloom_filter.version() end

---@class cuckoo_filter.filter
local cuckoo = {}
---@param key string|number
---@return boolean added
function cuckoo:add(key) end
---@param key string|number
---@return boolean found
function cuckoo:query(key) end
---@param key string|number
---@return boolean deleted
function cuckoo:delete(key) end
---@return integer
function cuckoo:count() end
function cuckoo:clear() end
---@param count integer
---@param buckets string
---@param version integer
function cuckoo:fromstring(count, buckets, version) end

---@class cuckoo_filter
cuckoo_filter = {}
---@param items integer
---@return cuckoo_filter.filter
function cuckoo_filter.new(items) end
---@return string
function cuckoo_filter.version() end

---@class cuckoo_filter_expire.filter
local expire = {}
---@param key string|number
---@param ns number
---@return boolean added
---@return integer? intervals
function expire:add(key, ns) end
---@param key string|number
---@return boolean found
---@return integer? interval
function expire:query(key) end
---@param key string|number
---@return boolean deleted
function expire:delete(key) end
---@return integer
function expire:count() end
---@return number ns
---@return integer interval
function expire:current_interval() end
function expire:clear() end

---@class cuckoo_filter_expire
cuckoo_filter_expire = {}
---@param items integer
---@param minutes integer?
---@return cuckoo_filter_expire.filter
function cuckoo_filter_expire.new(items, minutes) end
---@return string
function cuckoo_filter_expire.version() end

--- What is strange in a series: `require "detector"`.
---@class detector.object
---@field add fun(self: detector.object, ns: number, value: number): number, boolean
---@field bounds fun(self: detector.object): number?, number?
---@field clear fun(self: detector.object)
---@field fromstring fun(self: detector.object, state: string)
---@field scores fun(self: detector.object): {kind: string, score: number}[]

---@class detector.histogram_object
---@field add fun(self: detector.histogram_object, ns: number, counts: number[]): number, boolean
---@field clear fun(self: detector.histogram_object)
---@field fromstring fun(self: detector.histogram_object, state: string)

---@class detector
detector = {}
---@param kind string
---@param parameters? table<string, any>
---@return detector.object
function detector.new(kind, parameters) end
---@param bins integer
---@param parameters? table<string, number>
---@return detector.histogram_object
function detector.histogram(bins, parameters) end
---@return table<string, table<string, number>>
function detector.kinds() end
---@param a number[]
---@param b number[]
---@return number
function detector.pearson(a, b) end
---@param a number[]
---@param b number[]
---@return number
function detector.bhattacharyya(a, b) end
---@param x number[]
---@param y number[]
---@return number? u
---@return number? p
function detector.mann_whitney_u(x, y) end

---@class sax.object
local object = {}
---@param values number|number[]
function object:add(values) end
---@return sax.object
function object:get_word() end
function object:clear() end

---@class sax
sax = {word = {}, window = {}}
---@param a sax.object
---@param b sax.object
---@return number? distance
---@return number? above
---@return number? below
function sax.mindist(a, b) end
---@return string
function sax.version() end
---@param n integer
---@param w integer
---@param c integer
---@return sax.object
function sax.window.new(n, w, c) end
---@param series string|number[]
---@param w_or_c integer
---@param c? integer
---@return sax.object
function sax.word.new(series, w_or_c, c) end

---@class streaming_algorithms.cm_sketch.sketch
local counts = {}
---@param key string|number
---@param n? integer
---@return integer estimate
function counts:update(key, n) end
---@param key string|number
---@return integer estimate
function counts:point_query(key) end
---@return integer
function counts:item_count() end
---@return integer
function counts:unique_count() end
function counts:clear() end
---@param bytes string
function counts:fromstring(bytes) end

---@class streaming_algorithms.matrix.matrix
local matrix = {}
---@param row integer
---@param column integer
---@param number number
---@return number
function matrix:add(row, column, number) end
---@param row integer
---@param column integer
---@param number number
---@return number
function matrix:set(row, column, number) end
---@param row integer
---@param column integer
---@return number
function matrix:get(row, column) end
---@param row integer
---@return number[]
function matrix:get_row(row) end
---@param row integer
function matrix:clear_row(row) end
---@param row integer
---@return number
function matrix:sum(row) end
---@param row integer
---@param match? "max"|"min"
---@return number? coefficient
---@return integer? row
function matrix:pcc(row, match) end
---@param other streaming_algorithms.matrix.matrix
---@param op? "add"|"set"
function matrix:merge(other, op) end
---@return integer rows
---@return integer columns
function matrix:get_configuration() end
---@param bytes string
function matrix:fromstring(bytes) end

---@class streaming_algorithms.p2.markers
local markers = {}
---@param number number
---@return number? estimate
function markers:add(number) end
---@param marker integer
---@return number
function markers:estimate(marker) end
---@param marker integer
---@return integer
function markers:count(marker) end
function markers:clear() end
---@param bytes string
function markers:fromstring(bytes) end

---@class streaming_algorithms.running_stats.stats
local stats = {}
---@param number number
---@return number mean
function stats:add(number) end
---@return number
function stats:avg() end
---@return number
function stats:count() end
---@return number
function stats:sd() end
---@return number
function stats:usd() end
---@return number
function stats:variance() end
function stats:clear() end
---@param bytes string
function stats:fromstring(bytes) end

---@class streaming_algorithms.time_series.series
local series = {}
---@param ns number
---@param value integer
---@return integer?
function series:add(ns, value) end
---@param ns number
---@param value integer
---@return integer?
function series:set(ns, value) end
---@param ns number
---@return integer?
function series:get(ns) end
---@param ns number?
---@param n integer
---@return integer[]?
function series:get_range(ns, n) end
---@param ns number?
---@param n integer
---@param statistic? "sum"|"min"|"max"|"avg"|"sd"|"usd"
---@param include_zero? boolean
---@return number? value
---@return integer? rows
function series:stats(ns, n, statistic, include_zero) end
---@param ns number?
---@param n integer
---@param m integer
---@param percent number
---@param result? "anomaly"|"anomaly_current"|"mp"|"mpi"
---@return number|number[]|nil
---@return number? percent
---@return number? distance
function series:matrix_profile(ns, n, m, percent, result) end
---@param other streaming_algorithms.time_series.series
---@param op? "add"|"set"
function series:merge(other, op) end
---@return number ns
function series:current_time() end
---@return integer rows
---@return number ns_per_row
function series:get_configuration() end
---@param bytes string
function series:fromstring(bytes) end

---@class streaming_algorithms
streaming_algorithms = {cm_sketch = {}, matrix = {}, p2 = {}, running_stats = {}, time_series = {}}
---@param epsilon number
---@param delta number
---@return streaming_algorithms.cm_sketch.sketch
function streaming_algorithms.cm_sketch.new(epsilon, delta) end
---@param rows integer
---@param columns integer
---@param kind? "int"|"float"
---@return streaming_algorithms.matrix.matrix
function streaming_algorithms.matrix.new(rows, columns, kind) end
---@param p number
---@return streaming_algorithms.p2.markers
function streaming_algorithms.p2.quantile(p) end
---@param buckets integer
---@return streaming_algorithms.p2.markers
function streaming_algorithms.p2.histogram(buckets) end
---@return streaming_algorithms.running_stats.stats
function streaming_algorithms.running_stats.new() end
---@param rows integer
---@param ns_per_row number
---@return streaming_algorithms.time_series.series
function streaming_algorithms.time_series.new(rows, ns_per_row) end

-- The small native modules.

---@class bit32lib
---@field band fun(...: number): integer
---@field bor fun(...: number): integer
---@field bxor fun(...: number): integer
---@field btest fun(...: number): boolean
---@field bnot fun(x: number): integer
---@field lshift fun(x: number, n: integer): integer
---@field rshift fun(x: number, n: integer): integer
---@field arshift fun(x: number, n: integer): integer
---@field lrotate fun(x: number, n: integer): integer
---@field rrotate fun(x: number, n: integer): integer
---@field extract fun(x: number, first: integer, width?: integer): integer
---@field replace fun(x: number, value: number, first: integer, width?: integer): integer
bit32 = {}

---@class structlib
---@field pack fun(format: string, ...: any): string
---@field unpack fun(format: string, bytes: string, position?: integer): ...
---@field size fun(format: string): integer
struct = {}

---@class xxhashlib
---@field h32 fun(item: string|number, seed?: number): number
---@field h64 fun(item: string|number, seed?: number): number
---@field version fun(): string
xxhash = {}

---@alias zlib.flush "none"|"sync"|"full"|"finish"
---@alias zlib.inflate fun(bytes?: string): string, boolean, integer?, integer?
---@alias zlib.deflate fun(text?: string, flush?: zlib.flush): string, boolean, integer?, integer?
---@alias zlib.checksum fun(item?: string|zlib.checksum): number, integer

---@class zliblib
---@field inflate fun(window_bits?: integer): zlib.inflate
---@field deflate fun(level?: integer, window_bits?: integer): zlib.deflate
---@field crc32 fun(): zlib.checksum
---@field adler32 fun(): zlib.checksum
---@field version fun(): integer, integer, integer
---@field BEST_SPEED integer
---@field BEST_COMPRESSION integer
zlib = {}

---@class snappylib
---@field compress fun(text: string): string
---@field uncompress fun(bytes: string): string
---@field decompress fun(bytes: string): string
---@field validate_compressed_buffer fun(bytes: string): boolean
snappy = {}

---@class zstdlib
---@field compress fun(text: string, level?: integer): string
---@field decompress fun(bytes: string, max?: integer): string
---@field version fun(): string
zstd = {}

---@alias openssl.algorithm "md5"|"sha1"|"sha224"|"sha256"|"sha384"|"sha512"

---@class openssl.evp_digest_ctx
---@field update fun(self: openssl.evp_digest_ctx, text: string): boolean
---@field final fun(self: openssl.evp_digest_ctx, last?: string|boolean, raw?: boolean): string
---@field reset fun(self: openssl.evp_digest_ctx): boolean
---@field info fun(self: openssl.evp_digest_ctx): { name: string, size: integer }

---@class openssl.hmac_ctx
---@field update fun(self: openssl.hmac_ctx, text: string): boolean
---@field final fun(self: openssl.hmac_ctx, last?: string|boolean, raw?: boolean): string

---@class openssl.x509_name
---@field get_text fun(self: openssl.x509_name, part: string): string?
---@field oneline fun(self: openssl.x509_name): string

---@class openssl.x509
---@field parse fun(self: openssl.x509): table
---@field subject fun(self: openssl.x509): openssl.x509_name
---@field issuer fun(self: openssl.x509): openssl.x509_name
---@field check_host fun(self: openssl.x509, host: string): boolean

---@class openssl.digestlib
---@field digest fun(name: openssl.algorithm, text: string, raw?: boolean): string
---@field new fun(name: openssl.algorithm): openssl.evp_digest_ctx
---@field list fun(): string[]

---@class openssl.hmaclib
---@field hmac fun(name: openssl.algorithm, text: string, key: string, raw?: boolean): string
---@field new fun(name: openssl.algorithm, key: string): openssl.hmac_ctx

---@class openssllib
---@field digest openssl.digestlib
---@field hmac openssl.hmaclib
---@field x509 { read: fun(text: string): openssl.x509?, string? }
---@field random fun(n: integer): string
---@field hex fun(text: string, encode?: boolean): string
---@field base64 fun(text: string, encode?: boolean, one_line?: boolean): string?
openssl = {}

---@class timezonelib
---@field offset fun(zone: string, seconds: number): integer, string, boolean
---@field local_offset fun(zone: string, seconds: number): integer, string, boolean
---@field exists fun(zone: string): boolean
timezone = {}

---@class gzfile.file
---@field lines fun(self: gzfile.file, max_bytes?: integer): fun(): string?
---@field lines_tail fun(self: gzfile.file, strip?: boolean): fun(): string?
---@field seek fun(self: gzfile.file, whence?: "set"|"cur", offset?: number): number?, string?
---@field close fun(self: gzfile.file)

---@class gzfilelib
---@field open fun(file: string, mode?: string, buffer_size?: integer): gzfile.file?, string?
---@field string fun(file: string, mode?: string, buffer_size?: integer, max_bytes?: integer): string
---@field version fun(): string
gzfile = {}

---@class maxminddb.result
---@field get fun(self: maxminddb.result, ...: string): string|number|boolean

---@class maxminddb.database
---@field lookup fun(self: maxminddb.database, address: string): maxminddb.result

---@class maxminddblib
---@field open fun(file: string): maxminddb.database
maxminddb = {}

---@class lfs.lock
---@field free fun(self: lfs.lock)

---@class lfslib
---@field attributes fun(path: string, what?: string|table): any, string?, integer?
---@field symlinkattributes fun(path: string, what?: string|table): any, string?, integer?
---@field dir fun(path: string): fun(listing: userdata): string?, userdata
---@field currentdir fun(): string?, string?, integer?
---@field mkdir fun(path: string): true?, string?, integer?
---@field rmdir fun(path: string): true?, string?, integer?
---@field touch fun(path: string, accessed?: number, modified?: number): true?, string?, integer?
---@field link fun(old: string, new: string, symbolic?: boolean): true?, string?, integer?
---@field lock_dir fun(path: string, seconds?: number): lfs.lock?, string?, integer?
lfs = {}

-- Types of `kafka`.

---@class foresight.KafkaProducer
local KafkaProducer = {}
---@param topic string
---@param conf? table<string, string|number|boolean>
function KafkaProducer:create_topic(topic, conf) end
---@param topic string
---@return boolean
function KafkaProducer:has_topic(topic) end
---@param topic string
function KafkaProducer:destroy_topic(topic) end
---@param topic string
---@param partition integer -1: by the key
---@param sequence_id lightuserdata? of process_message
---@param message string|userdata
---@param key? string
---@param headers? table<string, string>
---@param time? integer milliseconds since 1970
---@return integer 0, 105 (queue full), 90 (too large), 2 (no topic), 3 (no partition)
function KafkaProducer:send(topic, partition, sequence_id, message, key, headers, time) end
---Acknowledges what has arrived.
function KafkaProducer:poll() end
---@param timeout integer milliseconds
---@return boolean done
function KafkaProducer:flush(timeout) end

---@class foresight.KafkaConsumer
local KafkaConsumer = {}
---@return string? message
---@return string? topic
---@return integer? partition
---@return string? key
---@return integer? offset
---@return integer? time milliseconds since 1970
---@return table<string, string>? headers
function KafkaConsumer:receive() end
---@return true? ok
---@return string? reason
function KafkaConsumer:commit() end

---@class foresight.kafka
---@field producer fun(brokers: string, conf?: table<string, string|number|boolean>): foresight.KafkaProducer
---@field consumer fun(brokers: string, topics: string[], conf: table<string, string|number|boolean>, topic_conf?: table<string, string|number|boolean>, start?: integer): foresight.KafkaConsumer
---@field version fun(): string
kafka = {}

-- Types of the modules that talk to the outside: socket, ssl, mime.core, luasql.postgres.

---@class foresight.Socket
local Socket = {}
---@param host string
---@param port? integer
---@return integer? ok
---@return string? reason
function Socket:connect(host, port) end
---@param host string
---@param port? integer
---@return integer? ok
---@return string? reason
function Socket:bind(host, port) end
---@return foresight.Socket? client
---@return string? reason
function Socket:accept() end
---@param data string
---@param i? integer
---@param j? integer
---@return integer? last
---@return string? reason
---@return integer? partial
function Socket:send(data, i, j) end
---@param pattern? string|integer
---@param prefix? string
---@return string? data
---@return string? reason
---@return string? partial
function Socket:receive(pattern, prefix) end
---@param data string
---@param host string
---@param port? integer
---@return integer? ok
---@return string? reason
function Socket:sendto(data, host, port) end
---@param size? integer
---@return string? data
---@return string address_or_reason
---@return integer? port
function Socket:receivefrom(size) end
---@param seconds? number
---@param mode? "b"|"t"|"r"
---@return integer ok
function Socket:settimeout(seconds, mode) end
---@return string? address
---@return integer|string port_or_reason
---@return string? family
function Socket:getsockname() end
---@return string? address
---@return integer|string port_or_reason
---@return string? family
function Socket:getpeername() end
---@param name string
---@param value any
---@return integer? ok
---@return string? reason
function Socket:setoption(name, value) end
---@return integer ok
function Socket:close() end
---@return boolean ok
---@return string? reason
function Socket:dohandshake() end
---@param name string
function Socket:sni(name) end
---@param field? string
---@return any
function Socket:info(field) end
---@return foresight.Certificate?
function Socket:getpeercertificate() end

---@class foresight.Certificate
local Certificate = {}
---@return {oid: string, name: string, value: string}[]
function Certificate:subject() end
---@return {oid: string, name: string, value: string}[]
function Certificate:issuer() end
---@return string
function Certificate:serial() end
---@param algorithm? "sha1"|"sha256"|"sha384"|"sha512"
---@return string? hex
---@return string? reason
function Certificate:digest(algorithm) end
---@return string
function Certificate:pem() end

---@class foresight.socket
local socket = {}
---@return foresight.Socket? socket
---@return string? reason
function socket.tcp() end
---@return foresight.Socket? socket
---@return string? reason
function socket.udp() end
---@param host string
---@param port integer
---@return foresight.Socket? socket
---@return string? reason
function socket.connect(host, port) end
---@param host string
---@param port integer
---@param backlog? integer
---@return foresight.Socket? socket
---@return string? reason
function socket.bind(host, port, backlog) end
---@param to_read? foresight.Socket[]
---@param to_write? foresight.Socket[]
---@param seconds? number
---@return table readable
---@return table writable
---@return string? reason
function socket.select(to_read, to_write, seconds) end
---@param seconds number
function socket.sleep(seconds) end
---@return number seconds
function socket.gettime() end

---@class foresight.SslParams
---@field mode "client"|"server"
---@field protocol? string
---@field certificate? string
---@field key? string
---@field cafile? string
---@field capath? string
---@field verify? string|string[]
---@field options? string|string[]
---@field ciphers? string
---@field ciphersuites? string
---@field alpn? string|string[]

---@class foresight.ssl
local ssl = {}
---@param params foresight.SslParams
---@return userdata? context
---@return string? reason
function ssl.newcontext(params) end
---@param plain foresight.Socket
---@param context userdata|foresight.SslParams
---@return foresight.Socket? connection
---@return string? reason
function ssl.wrap(plain, context) end

---@class foresight.SqlConnection
local SqlConnection = {}
---@param sql string
---@return foresight.SqlCursor|integer|nil result
---@return string? reason
function SqlConnection:execute(sql) end
---@param text string
---@return string
function SqlConnection:escape(text) end
---@return boolean? ok
---@return string? reason
function SqlConnection:commit() end
---@return boolean? ok
---@return string? reason
function SqlConnection:rollback() end
---@param on boolean
---@return boolean? ok
---@return string? reason
function SqlConnection:setautocommit(on) end
---@return boolean was_open
function SqlConnection:close() end

---@class foresight.SqlCursor
local SqlCursor = {}
---@param row? table
---@param mode? "n"|"a"|"an"
---@return any ...
function SqlCursor:fetch(row, mode) end
---@return string[]
function SqlCursor:getcolnames() end
---@return string[]
function SqlCursor:getcoltypes() end
---@return integer
function SqlCursor:numrows() end
---@return boolean was_open
function SqlCursor:close() end

-- Types of the loader's modules.

--- What has a raw message: a stream reader, or `current` of moz_ingest.util.
---@class moz_ingest.reader
---@field read_message fun(self: any, name: string): any

--- What decodes the submissions of a namespace.
---@class moz_ingest.decoder
local moz_ingest_decoder = {}

--- Raises `type`, tab, text, tab, detail where the document is an error; decoders.moz_ingest.common returns why not even
--- that could be injected.
---@param reader moz_ingest.reader|foresight.StreamReader|nil
---@param msg foresight.Message?
---@return string? failure
function moz_ingest_decoder.transform_message(reader, msg) end

---@param data string an encoded message
---@return string? failure
function moz_ingest_decoder.decode(data) end

--- decoders.moz_ingest.errors.
---@class moz_ingest.errors
local moz_ingest_errors = {}

---@param message foresight.DecodedMessage
---@return foresight.Message? raw
---@return string? reason
function moz_ingest_errors.restore(message) end

---@param data string
---@return string? failure
function moz_ingest_errors.decode(data) end

--- JSON Schemas from a folder: moz_ingest.schemas.
---@class moz_ingest.schemas
local moz_ingest_schemas = {}

---@class moz_ingest.registry
local moz_ingest_registry = {}

---@param root string
---@param interval? number seconds
---@return moz_ingest.registry
function moz_ingest_schemas.new(root, interval) end

---@param folder string?
---@param doc_type string
---@param version number|string
---@return rjson.schema?
---@return string? reason
function moz_ingest_registry:find(folder, doc_type, version) end

--- What the decoders of submissions share: moz_ingest.util.
---@class moz_ingest.util
---@field current moz_ingest.reader the current message of an output
local moz_ingest_util = {}

---@param reader moz_ingest.reader|foresight.StreamReader
---@param uri? string
---@return foresight.Message
function moz_ingest_util.new_message(reader, uri) end

---@param document rjson.document
---@param reader moz_ingest.reader|foresight.StreamReader
---@return rjson.document
function moz_ingest_util.parse_content(document, reader) end

---@param module_name string
---@return table
function moz_ingest_util.configuration(module_name) end

---@param module_name string
---@param transform fun(reader: foresight.StreamReader): any
---@return fun(data: string): any
function moz_ingest_util.decoder(module_name, transform) end

---@param document rjson.document
---@param reader moz_ingest.reader|foresight.StreamReader
function moz_ingest_util.read_document(document, reader) end

---@param msg foresight.Message
function moz_ingest_util.inject(msg) end

---@param msg foresight.Message
---@param reader moz_ingest.reader|foresight.StreamReader
function moz_ingest_util.add_dates(msg, reader) end

---@param msg foresight.Message
---@param reader moz_ingest.reader|foresight.StreamReader
---@param names string[]
function moz_ingest_util.add_headers(msg, reader, names) end

---@param msg foresight.Message
---@param reader moz_ingest.reader|foresight.StreamReader
---@param cfg { user_agent_transform: boolean?, user_agent_keep: boolean?, user_agent_conditional: boolean? }
function moz_ingest_util.add_user_agent(msg, reader, cfg) end

---@param name string of a Field
---@return boolean
function moz_ingest_util.is_private(name) end

---@param message foresight.DecodedMessage
---@return foresight.Message? raw
---@return integer|string count or why it is none
function moz_ingest_util.restore_raw(message) end

---@param path string
---@return table<string, table<integer, rjson.schema>>
function moz_ingest_util.load_json_schemas(path) end

--- Few names for what telemetry calls by many: moz_telemetry.normalize.
---@class moz_telemetry.normalize
---@field channel fun(name: any): string
---@field os fun(name: any): string
---@field os_version fun(version: any): string?
---@field mobile_os fun(name: any): string
---@field mobile_app_name fun(name: any): string
---@field country fun(code: any): string
---@field get_boolean_value fun(v: any): boolean
---@field get_channel_count fun(): integer
---@field get_channel_name fun(id: integer?): string
---@field get_channel_id fun(name: string?): integer
---@field get_os_count fun(): integer
---@field get_os_name fun(id: integer?): string
---@field get_os_id fun(name: string?): integer
---@field get_os_win_count fun(): integer
---@field get_os_win_name fun(id: integer?): string
---@field get_os_win_id fun(version: any): integer
---@field get_country_count fun(): integer
---@field get_country_name fun(id: integer?): string
---@field get_country_id fun(name: string?): integer

-- Types of the module object_store.

---@class foresight.ObjectStore
local ObjectStore = {}
---@param key string
---@param bytes string
---@param name? string
---@return true? ok
---@return "full"? reason
function ObjectStore:put(key, bytes, name) end
---@param key string
---@param path string
---@param name? string
---@return true? ok
---@return "full"? reason
function ObjectStore:put_file(key, path, name) end
---@param seconds? number
---@return string? name
---@return true? ok
---@return string? reason
function ObjectStore:poll(seconds) end
---@return integer
function ObjectStore:pending() end
---@param prefix? string
---@param after? string
---@return fun(listing: userdata): string?, integer?, integer?
---@return userdata listing
function ObjectStore:list(prefix, after) end
---@param key string
---@param options? { from?: integer, compression?: "none"|"gzip"|"zstd"|"snappy", piece_size?: integer }
---@return foresight.StoredObject? object
---@return string? reason
function ObjectStore:open(key, options) end

---@class foresight.StoredObject
local StoredObject = {}
---@param n integer
---@return string? bytes
function StoredObject:read(n) end
---@return string? line
function StoredObject:line() end
function StoredObject:close() end

---@class foresight.Spool
local Spool = {}
---@param group string
---@param ... string|number|userdata
---@return true? ok
---@return string? reason
function Spool:write(group, ...) end
---@param group string
---@return boolean
function Spool:fits(group) end
---@return true? ok
---@return string? reason
function Spool:commit() end
---@param all? boolean
---@return true? ok
---@return string? reason
function Spool:tick(all) end
---@return integer pending
function Spool:wait() end
---@return boolean
function Spool:is_known() end
function Spool:note() end
---@param files table<string, string>
---@return true? ok
---@return string? reason
function Spool:keep(files) end
---@return { growing: integer, handles: integer, memory: integer, carried?: integer, pending?: integer, refused?: integer, failures?: integer, last_failure?: string }
function Spool:status() end

---@class foresight.object_store
---@field open fun(address: string, options?: table): foresight.ObjectStore
---@field spool fun(options: table): foresight.Spool
object_store = {}

---@class parquet
---@field null lightuserdata
parquet = {}

---@class parquet.group
---@class parquet.schema: parquet.group
---@class parquet.writer_object

---@param name string
---@param hive_compatible? boolean
---@return parquet.schema
function parquet.schema(name, hive_compatible) end

---@param path string
---@param schema parquet.schema
---@param properties? table
---@return parquet.writer_object
function parquet.writer(path, schema, properties) end

---@param text string
---@param name? string
---@return string schema
---@return string[] left_out
function parquet.from_json_schema(text, name) end

---@param bytes? number
---@return integer budget
---@return integer memory
function parquet.budget(bytes) end

---@return string
function parquet.version() end

-- Types of heka.alert and of the channels of `output/alert.lua`.

---@class heka.alert
---@field thresholds table<string, any>
local alert = {}

---@param id string
---@param summary string?
---@param detail string?
---@param throttle number? minutes
---@param ldata table?
---@return boolean sent
function alert.send(id, summary, detail, throttle, ldata) end

---@param id string
---@param summary string?
---@param detail string?
---@param ldata table?
---@return boolean sent
function alert.recover(id, summary, detail, ldata) end

---@param id string
---@param throttle number? minutes
---@return boolean
function alert.throttled(id, throttle) end

---@param id string
---@return any
function alert.get_threshold(id) end

---@return boolean
function alert.has_lookup() end

---@param id string
---@param extension string?
---@return string
function alert.get_dashboard_uri(id, extension) end

return alert

-- Types of the module destination.

---@class foresight.Destination
local Destination = {}
---@param sequence_id lightuserdata
---@param ... string|number|userdata
---@return true? ok
---@return "full"? reason
function Destination:write(sequence_id, ...) end
function Destination:poll() end
---@param seconds? number
---@return integer pending
function Destination:flush(seconds) end
---@return { pending: integer, arrived: integer, refused: integer, failures: integer, last_failure?: string, memory: integer }
function Destination:status() end

---@class foresight.destination
---@field open fun(address: string, options?: table): foresight.Destination
destination = {}

-- Types of the modules below `monitor`.

---What is known of one key; a plugin adds to `n`, `sum` and `bins` by the number of the measure.
---@class monitor.record
---@field n number[]
---@field sum number[]
---@field bins number[][]
---@field score number[]
---@field seen integer

---@class monitor.measure
---@field name string
---@field kind "count"|"sum"|"average"|"share"|"max"|"last"|"unique"|"histogram"
---@field unit? string
---@field minimum? number
---@field window? integer
---@field bins? integer
---@field label? fun(bin: integer): string
---@field checks? table[]
---@field graph? boolean

---@class monitor.watch.object
---@field measures monitor.measure[]
---@field alerts monitor.alerts.sender
local watch_object = {}

---@return table state
function watch_object:state() end

---@param n? integer
---@return integer
function watch_object:version(n) end

---@param state table
---@param ns number
---@param key string
---@return monitor.record?
function watch_object:at(state, ns, key) end

---@param k monitor.record
---@param i integer
---@param item string|number
---@return boolean changed
function watch_object:unique(k, i, item) end

---@param state table
---@param ns number
---@param key string
---@param more? string
function watch_object:report(state, ns, key, more) end

---@param state table
---@param ns number
---@param shutdown boolean
function watch_object:timer(state, ns, shutdown) end

---@param state table
---@param inject function
---@param ... any
function watch_object:show(state, inject, ...) end

---@class monitor.watch
local watch = {}

---@param options table
---@return monitor.watch.object
function watch.new(options) end

---@class monitor.alerts.sender
local sender = {}

---@return table state
function sender:state() end

---@param state table
---@param ns number
---@param subject string
---@return boolean
function sender:rested(state, ns, subject) end

---@param state table
---@param ns number
---@param subject string
function sender:hold(state, ns, subject) end

---@param state table
---@param ns number
---@param subject string
---@param id string
---@param summary string
---@param detail? string
---@return boolean taken
function sender:raise(state, ns, subject, id, summary, detail) end

---@param state table
function sender:send(state) end

---@class monitor.alerts
local alerts = {}

---@param options {refractory?: number, payloads?: integer}
---@return monitor.alerts.sender
function alerts.new(options) end

---@param ns number
---@return string
function alerts.date(ns) end

---@class monitor.key
local key = {}

---@param variables? string|string[]
---@param missing? string
---@return fun(): string?
function key.new(variables, missing) end

---@param variables string|string[]
---@param missing? string
---@return fun(): string[]?
function key.path(variables, missing) end
