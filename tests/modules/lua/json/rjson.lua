-- The module rjson: documents, their methods, and schemas.
require "rjson"
require "string"
require "table"
assert(require "rjson" == rjson)
assert(rjson.version() == "1.1.4")

local function fails(expected, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok, "no error, expected: " .. expected)
    assert(err == expected, string.format("%q, expected %q", tostring(err), expected))
end

-- reading
for text, expected in pairs{
    [""] = "0 The document is empty.",
    [" \n"] = "2 The document is empty.",
    ["{"] = "1 Missing a name for object member.",
    ["{1"] = "1 Missing a name for object member.",
    ['{"a":1,}'] = "7 Missing a name for object member.",
    ['{"a"'] = "4 Missing a colon after a name of object member.",
    ['{"a":1'] = "6 Missing a comma or '}' after an object member.",
    ['{"a":1]'] = "6 Missing a comma or '}' after an object member.",
    ["[1"] = "2 Missing a comma or ']' after an array element.",
    ["[1,]"] = "3 Invalid value.",
    ["["] = "1 Invalid value.",
    ["tru"] = "3 Invalid value.",
    ["nulx"] = "3 Invalid value.",
    ["NaN"] = "0 Invalid value.",
    ["-"] = "1 Invalid value.",
    ["-a"] = "1 Invalid value.",
    ["+1"] = "0 Invalid value.",
    ["01"] = "1 The document root must not be followed by other values.",
    ["1 2"] = "2 The document root must not be followed by other values.",
    ["1."] = "2 Miss fraction part in number.",
    ["1.e5"] = "2 Miss fraction part in number.",
    ["1e"] = "2 Miss exponent in number.",
    ["[1e+]"] = "4 Miss exponent in number.",
    ["[1e400]"] = "1 Number too big to be stored in double.",
    ['"'] = "1 Missing a closing quotation mark in string.",
    ['"abc'] = "4 Missing a closing quotation mark in string.",
    ['"a\nb"'] = "2 Invalid encoding in string.",
    ['"\\x"'] = "1 Invalid escape character in string.",
    ['"\\u12g4"'] = "1 Incorrect hex digit after \\u escape in string.",
    ['"\\ud800"'] = "1 The surrogate pair in string is invalid.",
    ['"\\ud800\\u0041"'] = "1 The surrogate pair in string is invalid.",
    [string.rep("[", 10001)] = "10001 Terminate parsing due to Handler error.",
} do
    fails("failed to parse offset:" .. expected, rjson.parse, text)
end
fails("bad argument #1 to '?' (string expected, got table)", rjson.parse, {})
fails("bad argument #1 to '?' (string expected, got no value)", rjson.parse)
assert(rjson.parse(string.rep("[", 10000) .. string.rep("]", 10000)):size() == 1)
assert(rjson.parse('{"f\240o":"bar"}'))
fails("failed to parse offset:3 Invalid encoding in string.", rjson.parse, '{"f\240o":"bar"}', true)
assert(rjson.parse('{"fäo":"bär"}', true))

-- values
local doc = rjson.parse([[{"array":[1,"string",true,false,[3,4],{"foo":"bar"},null],
    "text":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00\u0000.","big":18446744073709551615,
    "small":-9223372036854775808,"double":-1.5e3,"same":1,"same":2}]])
assert(doc:type() == "object" and doc:size() == 7)
local types = {"number", "string", "boolean", "boolean", "array", "object", "null"}
local array = doc:find("array")
assert(doc:type(array) == "array" and doc:size(array) == 7)
local n = 0
for i, v in doc:iter(array) do
    assert(i == n and doc:type(v) == types[i + 1])
    assert(doc:find("array", i) == v and doc:find(array, i) == v)
    n = n + 1
end
assert(n == 7)
assert(doc:value(doc:find("array", 0)) == 1)
assert(doc:value(doc:find("array", 1)) == "string")
assert(doc:value(doc:find("array", 2)) == true)
assert(doc:value(doc:find("array", 3)) == false)
assert(doc:value(doc:find("array", 6)) == nil)
assert(doc:value(doc:find("array", 5, "foo")) == "bar")
assert(doc:value(doc:find("text")) == "\"\\/\b\f\n\r\tAé€😀\0.")
assert(doc:value(doc:find("big")) == 2^64)
assert(doc:value(doc:find("small")) == -2^63)
assert(doc:value(doc:find("double")) == -1500)
assert(doc:value(doc:find("same")) == 1, "the first of equal keys counts")
local names = {}
for k, v in doc:iter() do names[#names + 1] = k .. ":" .. doc:type(v) end
assert(table.concat(names, " ") == "array:array text:string big:number small:number double:number same:number same:number")
assert(doc:size(doc:find("array", 1)) == 6)
fails("attempt to get length of a number", doc.size, doc, doc:find("array", 0))
fails("attempt to get length of a boolean", doc.size, doc, doc:find("array", 2))
fails("attempt to get length of a NULL", doc.size, doc, doc:find("array", 6))
fails("value() not allowed on an object", doc.value, doc)
fails("value() not allowed on an array", doc.value, doc, array)
fails("iter() not allowed on a primitive type", doc.iter, doc, doc:find("big"))

-- what is not there
for _, path in ipairs{{"x"}, {0}, {"array", 7}, {"array", -1}, {"array", "key"}, {"array", 5, 0}, {"array", 5, "x"}, {true}, {"big", "x"}, {{}}} do
    assert(doc:find(unpack(path)) == nil)
end
assert(doc:find(nil) == nil and doc:value(nil) == nil and doc:type(nil) == nil and doc:size(nil) == nil)
assert(doc:iter(nil) == nil and doc:make_field(nil) == nil)

-- handles belong to their document
local other = rjson.parse("[1]")
fails("invalid value", doc.find, doc, other, "array")
fails("invalid value", doc.value, doc, other:find())
fails("invalid value", other.value, other, array)
fails("invalid value", doc.remove, doc, other:find(), 0)
fails("bad argument #2 to '?' (userdata expected, got table)", doc.value, doc, {})
fails("bad argument #0 to '?' (invalid number of arguments)", doc.value, doc, nil, nil)
fails("bad argument #1 to '?' (mozsvc.rjson expected, got table)", doc.value, {})
fails("bad argument #2 to '?' (mozsvc.rjson_schema expected, got userdata)", doc.validate, doc, doc)

-- removing
local nested = '{"main":{"m1":1}, "payload":{"values":[1,2,3],"x":null}, "z":[10,11,12]}'
doc = rjson.parse(nested)
fails("cannot remove the root", doc.remove, doc)
fails("cannot remove the root", doc.remove, doc, doc:find("main"))
assert(doc:remove("main", "x") == nil and doc:remove("z", 3) == nil and doc:remove("z", "a") == nil)
local values = doc:find("payload", "values")
local it = doc:iter(values)
local i, v = it()
assert(i == 0 and doc:value(v) == 1)
local payload = doc:remove("payload")
i, v = it()
assert(i == 1 and doc:value(v) == 2, "what lies within the removed value stays")
assert(doc:size() == 2 and doc:find("payload") == nil)
assert(payload:size() == 2 and payload:value(payload:find("values", 2)) == 3)
it = doc:iter(doc:find("main"))
doc:remove("main")
fails("iterator has been invalidated", it)
local z = doc:find("z")
local last = doc:find("z", 2)
assert(doc:value(doc:remove_shallow("z", 0)) == 10)
assert(doc:size(z) == 2 and doc:value(doc:find(z, 0)) == 11 and doc:find(z, 1) == last)
local indexes = {}
for i, v in doc:iter(z) do indexes[#indexes + 1] = i .. "=" .. doc:value(v) end
assert(table.concat(indexes, " ") == "0=11 1=12")
local taken = doc:remove_shallow(z, 1)
assert(doc:value(taken) == 12)
fails("invalid value", doc.value, doc, last)
fails("cannot remove the root", doc.remove, doc, taken)
taken = doc:remove_shallow("z")
assert(doc:size() == 0 and doc:value(doc:find(taken, 0)) == 11)

-- a document is used again
local before = doc:find()
assert(doc:parse(nested) == doc and doc:size() == 3)
fails("invalid value", doc.value, doc, before)
fails("failed to parse offset:1 Missing a name for object member.", doc.parse, doc, "{")
assert(doc:type() == "null" and doc:find("main") == nil)
it = doc:parse("[1,2]"):iter()
doc:parse("[1,2]")
fails("iterator has been invalidated", it)

-- fields
doc = rjson.parse('{"a":[1,2],"c":{}}')
local field = doc:make_field(doc:find("a"))
assert(field.userdata == doc and field.value == doc:find("a") and field.representation == "json")
assert(rjson.make_field(doc).value == doc:find())
inject_message({Fields = {a = field, all = doc:make_field(), doc = doc}})

-- messages
local function varint(n)
    if n < 128 then return string.char(n) end
    return string.char(n % 128 + 128) .. varint(math.floor(n / 128))
end
require "math"
local reader = create_stream_reader("test")
local function message_with(payload)
    local head = "\10\16" .. string.rep("\0", 16) .. "\16\4"
    reader:decode_message(head .. "\50" .. varint(#payload) .. payload)
end
fails("bad argument #0 to '?' (invalid number of arguments)", rjson.parse_message)
fails("bad argument #1 to '?' (lsb.heka_stream_reader expected, got string)", rjson.parse_message, "", "Payload")
message_with('{"a":[1]} and more')
doc = rjson.parse_message(reader, "Payload")
assert(doc:value(doc:find("a", 0)) == 1)
for _, name in ipairs{"Fields[x]", "Fields[x", "Type", "Uuid", "x", "", "payload"} do
    fails("field not found", rjson.parse_message, reader, name)
end
fails("bad argument #3 to '?' (number expected, got string)", rjson.parse_message, reader, "Payload", "x")
fails("bad argument #4 to '?' (array index must be >= 0)", rjson.parse_message, reader, "Payload", 0, -1)
message_with("\31\139foobar")
fails("ungzip failed", rjson.parse_message, reader, "Payload")
fails("ungzip failed", doc.parse_message, doc, reader, "Payload")
assert(doc:type() == "null")

-- schemas
local function line(schema, json)
    local ok, err, report = rjson.parse(json):validate(rjson.parse_schema(schema))
    if ok then return "ok" end
    return err, report
end
local function check(schema, json, expected_line, expected_report)
    local err, report = line(schema, json)
    assert(err == (expected_line or "ok"), tostring(err))
    assert(report == expected_report, tostring(report))
end
check("{}", "1")
check('{"type":"string"}', "1", "SchemaURI: # Keyword: type DocumentURI: #",
    '{"type":{"expected":["string"],"actual":"integer","instanceRef":"#","schemaRef":"#"}}')
check('{"properties":{"a b/c":{"minimum":3}}}', '{"a b/c":2.5}',
    "SchemaURI: #/properties/a%20b~1c Keyword: minimum DocumentURI: #/a%20b~1c",
    '{"minimum":{"actual":2.5,"expected":3,"instanceRef":"#/a%20b~1c","schemaRef":"#/properties/a%20b~1c"}}')
check('{"minimum":3,"exclusiveMinimum":true}', "3", "SchemaURI: # Keyword: minimum DocumentURI: #",
    '{"minimum":{"actual":3,"expected":3,"exclusiveMinimum":true,"instanceRef":"#","schemaRef":"#"}}')
check('{"required":["a","b","c"]}', '{"b":1}', "SchemaURI: # Keyword: required DocumentURI: #",
    '{"required":{"missing":["a","c"],"instanceRef":"#","schemaRef":"#"}}')
check('{"properties":{"EnvVersion":{"type":"string","pattern":"^\\\\d+(\\\\.[0-9]+){0,2}"}}}', '{"EnvVersion":"unknown"}',
    "SchemaURI: #/properties/EnvVersion Keyword: pattern DocumentURI: #/EnvVersion",
    '{"pattern":{"actual":"unknown","instanceRef":"#/EnvVersion","schemaRef":"#/properties/EnvVersion"}}')
check('{"additionalProperties":false,"properties":{"a":{}}}', '{"a":1,"b":2}',
    "SchemaURI: # Keyword: additionalProperties DocumentURI: #/b",
    '{"additionalProperties":{"disallowed":"b","instanceRef":"#","schemaRef":"#"}}')
check('{"items":[{}],"additionalItems":false}', "[1,2]", "SchemaURI: # Keyword: items DocumentURI: #/1",
    '{"additionalItems":{"disallowed":1,"instanceRef":"#","schemaRef":"#"}}')
check('{"uniqueItems":true}', '[1,{"a":1,"b":2},3,{"b":2,"a":1.0}]', "SchemaURI: # Keyword: uniqueItems DocumentURI: #/3",
    '{"uniqueItems":{"duplicates":[1,3],"instanceRef":"#","schemaRef":"#"}}')
check('{"enum":[1,"a",[2],{"x":null}]}', '{"x":null}')
check('{"enum":[1,"a",[2],{"x":null}]}', "1.0")
check('{"enum":[1,"a",[2]]}', "[3]", "SchemaURI: # Keyword: enum DocumentURI: #",
    '{"enum":{"instanceRef":"#","schemaRef":"#"}}')
check('{"anyOf":[{"type":"string"},{"minimum":5}]}', "3", "SchemaURI: # Keyword: anyOf DocumentURI: #",
    '{"anyOf":{"errors":[{"type":{"expected":["string"],"actual":"integer","instanceRef":"#","schemaRef":"#/anyOf/0"}},'
    .. '{"minimum":{"actual":3,"expected":5,"instanceRef":"#","schemaRef":"#/anyOf/1"}}],"instanceRef":"#","schemaRef":"#"}}')
check('{"not":{"type":"null"}}', "null", "SchemaURI: # Keyword: not DocumentURI: #",
    '{"not":{"instanceRef":"#","schemaRef":"#"}}')
check('{"dependencies":{"a":["b","c"]}}', '{"a":1,"c":2}', "SchemaURI: # Keyword: dependencies DocumentURI: #",
    '{"dependencies":{"errors":{"a":["b"]},"instanceRef":"#","schemaRef":"#"}}')
check('{"properties":{"a":{"$ref":"#/definitions/s"}},"definitions":{"s":{"type":"string"}}}', '{"a":1}',
    "SchemaURI: #/definitions/s Keyword: type DocumentURI: #/a",
    '{"type":{"expected":["string"],"actual":"integer","instanceRef":"#/a","schemaRef":"#/definitions/s"}}')
check('{"properties":{"a":{"allOf":[{"properties":{"b":{"maxLength":2}}}]}}}', '{"a":{"b":"xyz"}}',
    "SchemaURI: #/properties/a Keyword: allOf DocumentURI: #/a",
    '{"maxLength":{"actual":"xyz","expected":2,"instanceRef":"#/a/b","schemaRef":"#/properties/a/allOf/0/properties/b"}}')
-- All violations are told, the first in the order of the document.
check('{"required":["z"],"properties":{"a":{"type":"null"},"b":{"type":"null"}}}', '{"b":1,"a":2}',
    "SchemaURI: #/properties/b Keyword: type DocumentURI: #/b",
    '{"type":[{"expected":["null"],"actual":"integer","instanceRef":"#/b","schemaRef":"#/properties/b"},'
    .. '{"expected":["null"],"actual":"integer","instanceRef":"#/a","schemaRef":"#/properties/a"}],'
    .. '"required":{"missing":["z"],"instanceRef":"#","schemaRef":"#"}}')
-- Formats are not checked, and the draft is told by $schema.
check('{"format":"hostname"}', '"not a host"')
check('{"type":"integer"}', "1.0", "SchemaURI: # Keyword: type DocumentURI: #",
    '{"type":{"expected":["integer"],"actual":"number","instanceRef":"#","schemaRef":"#"}}')
check('{"$schema":"http://json-schema.org/draft-07/schema#","type":"integer"}', "1.0")
check('{"$schema":"http://json-schema.org/draft-07/schema#","const":{"a":[1]}}', '{"a":[1]}')
check('{"$schema":"http://json-schema.org/draft-07/schema#","propertyNames":{"maxLength":2}}', '{"abc":1}',
    "SchemaURI: #/propertyNames Keyword: propertyNames DocumentURI: #",
    '{"propertyNames":{"errors":[{"maxLength":{"actual":null,"expected":2,"instanceRef":"#","schemaRef":"#/propertyNames"}}],"instanceRef":"#","schemaRef":"#/propertyNames"}}')
-- Large numbers are exact.
check('{"maximum":9223372036854775806}', "9223372036854775807", "SchemaURI: # Keyword: maximum DocumentURI: #",
    '{"maximum":{"actual":9223372036854775807,"expected":9223372036854775806,"instanceRef":"#","schemaRef":"#"}}')
-- What was removed is not looked at.
doc = rjson.parse('{"a":1,"b":[1,"x",2]}')
local schema = rjson.parse_schema('{"required":["b"],"properties":{"a":{"type":"null"},"b":{"items":{"type":"integer"},"maxItems":2}},"maxProperties":1}')
assert(not doc:validate(schema))
doc:remove("a")
doc:remove("b", 1)
assert(doc:validate(schema))

fails("failed to parse offset:1 Missing a name for object member.", rjson.parse_schema, "{")
for _, text in ipairs{'{"$ref":"http://example.com/x.json"}', '{"$ref":"#/definitions/none"}', '{"type":"strin"}', '{"pattern":"("}', "1", string.rep('{"not":', 101) .. "{}" .. string.rep("}", 101)} do
    local ok, err = pcall(rjson.parse_schema, text)
    assert(not ok and (err:find("^invalid schema: ") or err:find("^schema nests")), tostring(err))
end
