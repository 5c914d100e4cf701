-- The module `parquet` and the grammar of its schemas: what is refused, with which words.
require "io"
require "math"
require "os"
require "string"
require "table"
local parquet = require "parquet"
local parser  = require "lpeg.parquet"

local function fails(words, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, words, 1, true), string.format("expected '%s', got '%s'", words, tostring(err)))
end

assert(parquet.version() == "0.0.13")
assert(parquet.null == require "cjson".null)

-- Arguments
fails("string expected, got no value", parquet.schema)
fails("name cannot be empty", parquet.schema, "")
fails("boolean, nil or none expected, got number", parquet.schema, "s", 1)
fails("name is not valid UTF-8", parquet.schema, "\255")
fails("name is not valid UTF-8", parquet.schema, "a\0b")
fails("name is longer than 1024", parquet.schema, string.rep("x", 1025))

local schema = parquet.schema("s")
fails("schema/group expected, got nil", schema.add_group, nil, "g", "optional")
fails("schema/group expected, got userdata", schema.add_group, parquet.null, "g", "optional")
fails("invalid option 'often'", schema.add_group, schema, "g", "often")
fails("string expected, got nil", schema.add_group, schema, "g", nil)
fails("invalid option 'text'", schema.add_column, schema, "c", "optional", "text")
fails("invalid option 'UTF8'", schema.add_column, schema, "c", "optional", "binary", "UTF8")
fails("number expected, got table", schema.add_column, schema, "c", "optional", "fixed_len_byte_array", nil, {})
fails("is not a BYTE_ARRAY field", schema.add_column, schema, "c", "optional", "int32", "utf8")
fails("Invalid FIXED_LEN_BYTE_ARRAY length", schema.add_column, schema, "c", "optional", "fixed_len_byte_array")
fails("Invalid FIXED_LEN_BYTE_ARRAY length", schema.add_column, schema, "c", "optional", "fixed_len_byte_array", nil, 2^40)
fails("Invalid DECIMAL", schema.add_column, schema, "c", "optional", "int32", "decimal", nil, 2, 3)
fails("TUPLE cannot be applied", schema.add_column, schema, "c", "optional", "int32", "tuple")
local ok, err = pcall(schema.add_group, schema, "m", "repeated", "map_key_value")
assert(err == "bad argument #4 to '?' (MAP_KEY_VALUE is deprecated)", err)

-- What is finished stays as it is.
fails("group 's' is empty", schema.finalize, schema)
local group = schema:add_group("g", "optional")
fails("group 'g' is empty", schema.finalize, schema)
group:add_column("c", "required", "int64")
fails("the schema has not been finalized", parquet.writer, os.tmpname(), schema)
schema:finalize()
schema:finalize()
fails("cannot modify a finalized schema", schema.add_column, schema, "d", "optional", "int64")
fails("cannot modify a finalized schema", group.add_group, group, "d", "optional")

-- Sizes
local deep = parquet.schema("deep")
local inner = deep
for i = 1, 64 do inner = inner:add_group("g", "optional") end
fails("schema nests deeper than 64", inner.add_group, inner, "g", "optional")
local wide = parquet.schema("wide")
for i = 1, 9999 do wide:add_column("c" .. i, "optional", "int32") end
fails("schema has more than 10000 fields", wide.add_column, wide, "c", "optional", "int32")

-- Texts
local function message(fields) return "message t { " .. fields .. " }" end
for _, text in ipairs { "", "message", "message t {}", "message t { optional int32 }", "message t { int32 a; }",
                        message "optional int33 a;", message "optional int32 a", message "optional group g { }",
                        message "optional int32 a (STRING);", "message t { optional int32 a; \0", string.rep("{", 1e5) } do
    fails("failed parsing the spec", parser.load_parquet_schema, text)
end
parser.load_parquet_schema(message [[
    required boolean b; required int32 i (DECIMAL( 3 , 2 )); required int96 n; required fixed_len_byte_array(5) f = 9;
    optional binary a_name-with.signs (UTF8) = 3;
    optional group m (MAP) { repeated group key_value { required binary key (UTF8); optional int32 value; } }
    optional group t (TUPLE) = 4 { optional int64 a; optional double b (NONE); }]])

local map, list = "optional group g (MAP) { %s }", "optional group g (LIST) { %s }"
local single  = "group 'g' must be required or optional and contain a single group field"
local not_key = "field '%s' must be a required primitive named 'key'"
local refused = {
    { map, "repeated group kv { required binary key; required int32 value; }",
      "field 'kv' must be a repeated group named 'key_value'" },
    { map, "optional group key_value { required binary key; required int32 value; }",
      "field 'key_value' must be a repeated group named 'key_value'" },
    { map, "repeated int32 key_value;", "field 'key_value' must be a repeated group named 'key_value'" },
    { map, "repeated group key_value { required binary key; }", "group 'key_value' must have 2 fields" },
    { map, "repeated group key_value { optional binary key; required int32 value; }", string.format(not_key, "key") },
    { map, "repeated group key_value { required binary k; required int32 value; }", string.format(not_key, "k") },
    { map, "repeated group key_value { required binary key; repeated int32 value; }",
      "field 'value' must be optional or required and named 'value'" },
    { map, "repeated group key_value { required binary key; required int32 v; }",
      "field 'v' must be optional or required and named 'value'" },
    { map, "repeated group key_value { required binary key; required int32 value; } optional int32 x;", single },
    { list, "repeated group array { optional int32 element; }", "field 'array' must be a repeated group named 'list'" },
    { list, "repeated int32 list;", "field 'list' must be a repeated group named 'list'" },
    { list, "repeated group list { optional int32 element; optional int32 b; }", "group 'list' must have 1 field" },
    { list, "repeated group list { optional int32 item; }", "field 'item' must be optional or required and named 'element'" },
    { list, "repeated group list { repeated int32 element; }",
      "field 'element' must be optional or required and named 'element'" },
    { list, "repeated group list { optional int32 element; } optional int32 x;", single },
}
for _, case in ipairs(refused) do
    local ok, err = pcall(parser.load_parquet_schema, message(string.format(case[1], case[2])))
    assert(err == case[3], string.format("%s: %s", case[2], tostring(err)))
end
fails("must be required or optional", parser.load_parquet_schema,
      message "repeated group g (LIST) { repeated group list { optional int32 element; } }")

-- Metadata columns are read from the message, of which there is none while the plugin is loaded.
local with_metadata = message "required group meta { optional binary Type; optional binary other; } optional int64 md_n;"
local _, none = parser.load_parquet_schema(with_metadata)
assert(none == nil)
for _, names in ipairs { { "meta" }, { nil, "md_" }, { "meta", "md_" } } do
    local _, load = parser.load_parquet_schema(with_metadata, false, names[1], names[2])
    assert(type(load) == "function")
end
fails("no metadata specification was found", parser.load_parquet_schema, with_metadata, false, "elsewhere", "xx_")

-- From JSON Schema
local text, left_out = parquet.from_json_schema([[{
    "type": "object", "required": ["id", "tags"],
    "definitions": { "os": { "type": "object", "properties": { "name": { "type": ["string", "null"] } } } },
    "properties": {
        "id": { "type": "string" }, "n": { "type": "integer" }, "x": { "type": "number" }, "b": { "type": "boolean" },
        "tags": { "type": "array", "items": { "type": "string" } }, "os": { "$ref": "#/definitions/os" },
        "counts": { "type": "object", "additionalProperties": { "type": "integer" } },
        "any": {}, "two": { "type": ["string", "integer"] }, "bad name": { "type": "string" }
    } }]], "ping")
assert(text == [[
message ping {
  required binary id (UTF8);
  optional int64 n;
  optional double x;
  optional boolean b;
  required group tags (LIST) {
    repeated group list {
      optional binary element (UTF8);
    }
  }
  optional group os {
    optional binary name (UTF8);
  }
  optional group counts (MAP) {
    repeated group key_value {
      required binary key (UTF8);
      optional int64 value;
    }
  }
}
]], text)
assert(table.concat(left_out, " ") == "any two bad name", table.concat(left_out, " "))
parser.load_parquet_schema(text)
fails("invalid JSON", parquet.from_json_schema, "{")
fails("no object with fields", parquet.from_json_schema, "[]")
fails("no object with fields", parquet.from_json_schema, '{"$ref":"#"}')
fails("no object with fields", parquet.from_json_schema, '{"properties":{"a":{"$ref":"#/properties/a"}}}')
fails("string expected", parquet.from_json_schema)
