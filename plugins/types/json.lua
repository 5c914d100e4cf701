---@meta

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
