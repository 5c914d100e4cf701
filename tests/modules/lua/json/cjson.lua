-- kind: analysis
-- The module cjson: what it reads and writes, its settings, and its errors.
require "string"
require "table"
require "math"
local cj = require "cjson"
assert(cj == cjson, "no global table")
assert(cjson._NAME == "cjson" and type(cjson._VERSION) == "string")
assert(not cjson.new and not cjson.encode_keep_buffer)

local function fails(expected, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok, "no error, expected: " .. expected)
    assert(err == expected, string.format("%q, expected %q", tostring(err), expected))
end

local function same(text, expected)
    local got = cjson.encode(cjson.decode(text))
    assert(got == (expected or text), string.format("%s became %s", text, got))
end

-- values
assert(cjson.decode("true") == true)
assert(cjson.decode(" false ") == false)
assert(cjson.decode("null") == nil)
assert(cjson.decode('"x"') == "x")
assert(cjson.decode(" 12\n") == 12)
assert(cjson.decode(12) == 12)
assert(cjson.decode("-0.5e1") == -5)
assert(cjson.decode("18446744073709551615") == 2^64)
assert(cjson.decode("0.1") == 0.1)
assert(cjson.decode("123456789012345678901234567890") == 123456789012345678901234567890)
local v = cjson.decode('[ true, { "foo": "bar" }, [1, 2.5, -3], {} , [] ]')
assert(#v == 5 and v[1] == true and v[2].foo == "bar" and v[3][2] == 2.5 and v[3][3] == -3)
v = cjson.decode('{"a":1,"b":{"a":2,"b":{"a":3}},"a":4}')
assert(v.a == 4 and v.b.a == 2 and v.b.b.a == 3, "the last of equal keys counts")
assert(cjson.decode('{"a":1,"a":null}').a == nil)
assert(cjson.decode('{"":1}')[""] == 1)

-- many items, keys and levels
local items = {}
for i = 1, 1000 do items[i] = string.format('{"id":%d,"name":"n%d","tags":["a","b%d"],"a key of some length %d":null}', i, i, i, i % 7) end
v = cjson.decode("[" .. table.concat(items, ",") .. "]")
assert(#v == 1000)
for i = 1, 1000 do
    assert(v[i].id == i and v[i].name == "n" .. i and v[i].tags[1] == "a" and v[i].tags[2] == "b" .. i)
end
local keys = {}
for i = 1, 500 do keys[i] = string.format('"key%d":%d', i, i) end
v = cjson.decode("{" .. table.concat(keys, ",") .. "}")
for i = 1, 500 do assert(v["key" .. i] == i) end
local nested = string.rep("[", 1000) .. string.rep("]", 1000)
same(nested)
same(string.rep('{"a":', 999) .. "1" .. string.rep("}", 999))

-- arrays and objects, empty and with holes
same("[]")
same("{}")
same('{"a":[]}')
same("[[],{},[[]]]")
same("[1,2,null,4]")
assert(cjson.encode({nil}) == "[]")
assert(cjson.encode({}) == "{}")
assert(cjson.encode({1, 2, nil, 4}) == "[1,2,null,4]")
local t = cjson.decode("[]")
t[1] = "x"
assert(cjson.encode(t) == '["x"]')
t = cjson.decode("[]")
t.x = 1
assert(cjson.encode(t) == '{"x":1}')
assert(cjson.encode({[1] = "a", x = "b"}):find('"1":"a"', 1, true))
assert(cjson.encode({[0] = "a"}) == '{"0":"a"}')
assert(cjson.encode({[1.5] = 1}) == '{"1.5":1}')
t = {}
for i = 10, 1, -1 do t[i] = i end
assert(cjson.encode(t) == "[1,2,3,4,5,6,7,8,9,10]")
-- An array that turns out to be an object, at every level: each level is written once only.
t = {1, x = 2}
for i = 1, 500 do t = {t, x = i} end
assert(#cjson.encode(t) > 500)
t = {}
for i = 1, 500 do t = {1, 2, 3, t, 5} end
assert(#cjson.encode(t) > 500)

-- strings
for _, text in ipairs{"", "a", "äöü€😀", "\255\254 no UTF-8", string.rep("x", 5000)} do
    assert(cjson.decode('"' .. text .. '"') == text)
    assert(cjson.encode(text) == '"' .. text .. '"')
end
assert(cjson.decode([["\"\\\/\b\f\n\r\t"]]) == "\"\\/\b\f\n\r\t")
assert(cjson.decode([["\u0041\u00e9\u20AC\ud83d\ude00"]]) == "Aé€😀")
assert(cjson.decode([["a\u0000b"]]) == "a\0b")
assert(cjson.decode('{"a\\u0000b":1}')["a\0b"] == 1)
assert(cjson.decode('"a\nb\1"') == "a\nb\1", "control characters are let through")
assert(cjson.encode("a\0b\31\127/\"\\\b\f\n\r\t") == [["a\u0000b\u001f\u007f\/\"\\\b\f\n\r\t"]])
for i = 0, 255 do
    local s = string.char(i)
    assert(cjson.decode(cjson.encode(s .. "x" .. s)) == s .. "x" .. s)
    assert(cjson.decode(cjson.encode({[s] = s}))[s] == s)
end

-- numbers
assert(cjson.encode(1428523950000000000) == "1.42852395e+18")
assert(cjson.encode(1/3) == "0.33333333333333")
assert(cjson.encode(-0.5) == "-0.5")
assert(cjson.encode(1e15) == "1e+15")
assert(cjson.encode(123456) == "123456")
for _, n in ipairs{0, 1, -1, 0.1, 1e-5, 123.456, 2^53, 1e300, 1e-300, 3.14159265358979, 99999999999999, 1e14} do
    assert(cjson.encode(n) == string.format("%.14g", n), tostring(n))
end
for i = 1, 2000 do
    local n = (math.random() - 0.5) * 10 ^ math.random(-20, 20)
    assert(cjson.encode(n) == string.format("%.14g", n), string.format("%.17g", n))
    assert(cjson.decode(string.format("%.17g", n)) == n, string.format("%.17g", n))
end
assert(cjson.encode_number_precision() == 14)
assert(cjson.encode_number_precision(17) == 17)
for i = 1, 200 do
    local n = math.random() * 10 ^ math.random(-20, 20)
    assert(cjson.decode(cjson.encode(n)) == n)
    assert(cjson.encode(n) == string.format("%.17g", n))
end
assert(cjson.encode_number_precision(3) == 3)
assert(cjson.encode(1234.5) == "1.23e+03")
cjson.encode_number_precision(14)
fails("bad argument #1 to '?' (expected integer between 1 and 17)", cjson.encode_number_precision, 18)
fails("bad argument #1 to '?' (expected integer between 1 and 17)", cjson.encode_number_precision, 0)

-- numbers that are none of JSON's
local nan = 0/0
assert(cjson.decode("0x1F") == 31)
assert(cjson.decode("[Infinity,-inf,NaN,+5,007,-.5,1.]")[2] == -math.huge)
v = cjson.decode("nan")
assert(v ~= v)
assert(cjson.decode_invalid_numbers() == true)
assert(cjson.decode_invalid_numbers(false) == false)
for _, text in ipairs{"0x1F", "007", "-inf", "-nan"} do
    fails("Expected value but found invalid number at character 1", cjson.decode, text)
end
for _, text in ipairs{"Infinity", "NaN", "+5", "nan"} do
    fails("Expected value but found invalid token at character 1", cjson.decode, text)
end
assert(cjson.decode("-.5") == -.5)
assert(cjson.decode_invalid_numbers("on") == true)
for _, n in ipairs{nan, math.huge, -math.huge} do
    fails("Cannot serialise number: must not be NaN or Infinity", cjson.encode, n)
end
assert(cjson.encode_invalid_numbers() == false)
assert(cjson.encode_invalid_numbers("null") == "null")
assert(cjson.encode({nan, math.huge}) == "[null,null]")
assert(cjson.encode_invalid_numbers(true) == true)
assert(cjson.encode({nan, math.huge, -math.huge}) == "[NaN,Infinity,-Infinity]")
assert(cjson.encode_invalid_numbers("off") == false)
fails("bad argument #1 to '?' (invalid option 'x')", cjson.encode_invalid_numbers, "x")
fails("bad argument #1 to '?' (string expected, got table)", cjson.encode_invalid_numbers, {})

-- null
assert(cjson.decode_null() == false)
assert(cjson.decode('{"test":1,"null":null}').null == nil)
assert(cjson.decode_null(true) == true)
v = cjson.decode('{"null":null,"a":[null,1]}')
assert(v.null == cjson.null and v.a[1] == cjson.null and type(v.null) == "userdata")
assert(cjson.encode(v.a) == "[null,1]")
assert(cjson.encode(cjson.null) == "null" and cjson.encode(nil) == "null")
assert(cjson.decode_null(false) == false)

-- syntax errors
for text, expected in pairs{
    [""] = "value but found T_END at character 1",
    ["  "] = "value but found T_END at character 3",
    ["x"] = "value but found invalid token at character 1",
    ["tru"] = "value but found invalid token at character 1",
    ["]"] = "value but found T_ARR_END at character 1",
    ["["] = "value but found T_END at character 2",
    ["[1"] = "comma or array end but found T_END at character 3",
    ["[1,]"] = "value but found T_ARR_END at character 4",
    ["[1 2]"] = "comma or array end but found T_NUMBER at character 4",
    ["[1}"] = "comma or array end but found T_OBJ_END at character 3",
    ["[,"] = "value but found T_COMMA at character 2",
    ["{"] = "object key string but found T_END at character 2",
    ["{1:2}"] = "object key string but found T_NUMBER at character 2",
    ["{true"] = "object key string but found T_BOOLEAN at character 2",
    ["{null"] = "object key string but found T_NULL at character 2",
    ["{["] = "object key string but found T_ARR_BEGIN at character 2",
    ['{"a"'] = "colon but found T_END at character 5",
    ['{"a" "b"}'] = "colon but found T_STRING at character 6",
    ['{"a":'] = "value but found T_END at character 6",
    ['{"a"::'] = "value but found T_COLON at character 6",
    ['{"a":1'] = "comma or object end but found T_END at character 7",
    ['{"a":1,}'] = "object key string but found T_OBJ_END at character 8",
    ['{"a":1]'] = "comma or object end but found T_ARR_END at character 7",
    ["1 {"] = "the end but found T_OBJ_BEGIN at character 3",
    ['"'] = "value but found unexpected end of string at character 2",
    ['"abc'] = "value but found unexpected end of string at character 5",
    ['"a\0b"'] = "value but found unexpected end of string at character 3",
    ['"\\x"'] = "value but found invalid escape code at character 2",
    ['"\\'] = "value but found invalid escape code at character 2",
    ['"ab\\u12g4"'] = "value but found invalid unicode escape code at character 4",
    ['"\\ud800"'] = "value but found invalid unicode escape code at character 2",
    ['"\\ud800\\u0041"'] = "value but found invalid unicode escape code at character 2",
    ['"\\udc00"'] = "value but found invalid unicode escape code at character 2",
    ['{"\\x":1}'] = "object key string but found invalid escape code at character 3",
    ['[1,"'] = "value but found unexpected end of string at character 5",
    ["-"] = "value but found invalid number at character 1",
    ["-x"] = "value but found invalid number at character 1",
    ["1e"] = "the end but found invalid token at character 2",
    [".5"] = "value but found invalid token at character 1",
    ["[1\1]"] = "comma or array end but found invalid token at character 3",
} do
    fails("Expected " .. expected, cjson.decode, text)
end
assert(cjson.decode("[1]\0 what follows a NUL is not looked at")[1] == 1)
fails("JSON parser does not support UTF-16 or UTF-32", cjson.decode, "\0[")
fails("JSON parser does not support UTF-16 or UTF-32", cjson.decode, "[\0")
fails("bad argument #1 to '?' (expected 1 argument)", cjson.decode)
fails("bad argument #1 to '?' (expected 1 argument)", cjson.decode, "1", 2)
fails("bad argument #1 to '?' (string expected, got table)", cjson.decode, {})
fails("bad argument #1 to '?' (expected 1 argument)", cjson.encode)
fails("bad argument #1 to '?' (expected 1 argument)", cjson.encode, 1, 2)

-- depth
fails("Found too many nested data structures (1001) at character 1001", cjson.decode, string.rep("[", 1001))
assert(cjson.decode_max_depth() == 1000 and cjson.encode_max_depth() == 1000)
assert(cjson.decode_max_depth(2) == 2)
assert(cjson.decode("[[1]]")[1][1] == 1)
fails("Found too many nested data structures (3) at character 7", cjson.decode, '[{"a":[1]}]')
assert(cjson.decode_max_depth(2147483647) == 2147483647)
local ok, err = pcall(cjson.decode, string.rep("[", 1000000))
assert(not ok and err:find("^Found too many nested data structures"), err)
ok, err = pcall(cjson.decode, string.rep('{"a":', 1000000))
assert(not ok and err:find("^Found too many nested data structures"), err)
cjson.decode_max_depth(1000)
assert(cjson.encode_max_depth(2) == 2)
assert(cjson.encode({{1}}) == "[[1]]")
fails("Cannot serialise, excessive nesting (3)", cjson.encode, {{{}}})
cjson.encode_max_depth(2147483647)
t = {}
t.t = t
ok, err = pcall(cjson.encode, t)
assert(not ok and (err:find("^Cannot serialise, excessive nesting") or err:find("output_limit")), err)
cjson.encode_max_depth(1000)
fails("Cannot serialise, excessive nesting (1001)", cjson.encode, t)
fails("bad argument #1 to '?' (expected integer between 1 and 2147483647)", cjson.decode_max_depth, 0)
fails("bad argument #1 to '?' (expected integer between 1 and 2147483647)", cjson.decode_max_depth, 2^31)
fails("bad argument #1 to '?' (expected integer between 1 and 2147483647)", cjson.encode_max_depth, nan)
fails("bad argument #1 to '?' (number expected, got boolean)", cjson.encode_max_depth, true)
fails("bad argument #2 to '?' (found too many arguments)", cjson.encode_max_depth, 1, 2)

-- sparse arrays
local a, b, c = cjson.encode_sparse_array()
assert(a == false and b == 2 and c == 10)
fails("Cannot serialise table: excessively sparse array", cjson.encode, {[1000] = 1})
fails("Cannot serialise table: excessively sparse array", cjson.encode, {[2^40] = 1})
assert(cjson.encode({[10] = 1}) == "[null,null,null,null,null,null,null,null,null,1]")
fails("Cannot serialise table: excessively sparse array", cjson.encode, {[11] = 1})
cjson.encode_sparse_array(true)
assert(cjson.encode({[1000] = 1}) == '{"1000":1}')
a, b, c = cjson.encode_sparse_array("off", 0, 3)
assert(a == false and b == 0 and c == 3)
assert(cjson.encode({[20] = 1}) == "[" .. string.rep("null,", 19) .. "1]")
ok, err = pcall(cjson.encode, {[2147483647] = 1})
assert(not ok and err:find("output_limit exceeded"), err)
cjson.encode_sparse_array(false, 2, 10)
fails("bad argument #4 to '?' (found too many arguments)", cjson.encode_sparse_array, 1, 2, 3, 4)

-- what cannot be written
fails("Cannot serialise function: type not supported", cjson.encode, print)
fails("Cannot serialise function: type not supported", cjson.encode, {print})
fails("Cannot serialise table: table key must be a number or string", cjson.encode, {[{}] = 1})
fails("Cannot serialise boolean: table key must be a number or string", cjson.encode, {[true] = 1})
fails("Cannot serialise table: excessively sparse array", cjson.encode, {[math.huge] = 1})
fails("Cannot serialise number: must not be NaN or Infinity", cjson.encode, {[-math.huge] = 1})

-- metatables are not asked
t = setmetatable({1}, {__index = function() error("asked") end, __len = function() return 5 end})
assert(cjson.encode(t) == "[1]")

-- the limit of the output
local text = string.rep("x", 1024 * 1024 + 1)
fails("strbuf output_limit exceeded", cjson.encode, text)
t = {}
for i = 1, 300000 do t[i] = 12345 end
fails("strbuf output_limit exceeded", cjson.encode, t)
t = {"0123456789"}
for i = 1, 200 do t = {t, t} end
fails("strbuf output_limit exceeded", cjson.encode, t)

-- Keys of an object come in an order that is always the same.
assert(cjson.encode { ip = "10.0.0.1", violation = "x" } == '{"violation":"x","ip":"10.0.0.1"}')
assert(cjson.encode { worker = 7, eventType = 6, timestamp = 5, region = 4, instanceType = 3, workerId = 2, workerPoolId = 1 }
       == '{"workerPoolId":1,"workerId":2,"instanceType":3,"region":4,"timestamp":5,"eventType":6,"worker":7}')
assert(cjson.encode { { ip = { violation = { 1, { ip = 1, violation = 2 } }, ip = {} } } }
       == '[{"ip":{"violation":[1,{"violation":2,"ip":1}],"ip":{}}}]')
do
    for _, n in ipairs { 127, 128, 129, 1000 } do
        local many = {}
        for i = 1, n do many["key " .. i] = i end
        local back = cjson.decode(cjson.encode(many))
        local left = n
        for key, value in pairs(back) do
            assert(many[key] == value)
            left = left - 1
        end
        assert(left == 0)
    end
    local mixed = cjson.encode { a = 1, [2] = "b" }
    assert(mixed == '{"a":1,"2":"b"}' or mixed == '{"2":"b","a":1}')
    -- Wide tables deep within each other: the order ends before the room does.
    local deep = {}
    for _ = 1, 900 do deep = { a = 1, b = 2, c = 3, deep = deep } end
    assert(#cjson.encode(deep) > 900 * 20)
end
