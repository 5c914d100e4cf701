-- kind: output
-- Documents of rjson as fields of messages.
require "rjson"
require "string"

local function fails(expected, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok, "no error, expected: " .. expected)
    assert(err == expected, string.format("%q, expected %q", tostring(err), expected))
end

local other = rjson.parse("[1]")
local doc = rjson.parse('{"a":[1,-1.5,"x\\u0001/",1e30,0.00001,{"b":null}],"c":{}}')
local field = doc:make_field(doc:find("a"))
assert(field.userdata == doc and field.value == doc:find("a") and field.representation == "json")
local message = decode_message(encode_message({Fields = {a = field, all = doc:make_field(), doc = doc}}))
local expected = '[1,-1.5,"x\\u0001/",1e30,0.00001,{"b":null}]'
for _, f in ipairs(message.Fields) do
    local text = f.value[1]
    if f.name == "a" then
        assert(text == expected, text)
        assert(f.representation == "json" and f.value_type == 1)
    else
        assert(text == '{"a":' .. expected .. ',"c":{}}', text)
    end
end
field.value = other:find()
fails("encode_message() failed: userdata output callback failed: 1", encode_message, {Fields = {a = field}})
field.userdata = nil
fails("encode_message() failed: a lightuserdata output must also specify a userdata value", encode_message, {Fields = {a = field}})
