---@meta
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
