-- heka.util: tables become fields and messages; what is left out, and where it ends.
require "string"
require "table"
local cjson = require "cjson"
local util  = require "heka.util"

local function flat(t, ...)
    local fields, keys, shown = {}, {}, {}
    util.table_to_fields(t, fields, ...)
    for key in pairs(fields) do keys[#keys + 1] = key end
    table.sort(keys)
    for i, key in ipairs(keys) do shown[i] = key .. "=" .. tostring(fields[key]) end
    return table.concat(shown, " ")
end

local nested = { a = 1, b = { c = "two", d = { e = true, f = { g = 5 } } }, n = cjson.null }
assert(flat(nested) == "a=1 b.c=two b.d.e=true b.d.f.g=5")
assert(flat(nested, "p") == "p.a=1 p.b.c=two p.b.d.e=true p.b.d.f.g=5")
assert(flat(nested, nil, "_") == "a=1 b_c=two b_d_e=true b_d_f_g=5")
assert(flat(nested, "p", "::") == "p::a=1 p::b::c=two p::b::d::e=true p::b::d::f::g=5")
assert(flat(nested, nil, "") == "a=1 bc=two bde=true bdfg=5")
assert(flat(nested, nil, nil, 1) == 'a=1 b={"c":"two","d":{"e":true,"f":{"g":5}}}' or
       flat(nested, nil, nil, 1) == 'a=1 b={"d":{"e":true,"f":{"g":5}},"c":"two"}', flat(nested, nil, nil, 1))
assert(flat(nested, nil, nil, 3) == 'a=1 b.c=two b.d.e=true b.d.f={"g":5}')
assert(flat(nested, "p", nil, 4) == 'p.a=1 p.b.c=two p.b.d.e=true p.b.d.f={"g":5}', "the parent counts")
assert(flat(nested, nil, nil, 4) == flat(nested))
assert(flat({ ["x.y"] = { z = { 1 } } }, nil, nil, 3) == "x.y.z=[1]", "a separator in a key counts")
assert(flat { "a", { "b" } } == "1=a 2.1=b", "numbers as keys become texts")
assert(flat({}, "p") == "")
assert(flat({ a = { b = 1 } }, 5, {}, "1") == "5.a.b=1", "other types than the documented count as absent")

local fields = { kept = 1, a = 2 }
util.table_to_fields({ a = 3 }, fields)
assert(fields.kept == 1 and fields.a == 3)

local endless = {}
endless.deeper = endless
local ok, err = pcall(util.table_to_fields, endless, {})
assert(not ok and err == "the table is nested too deeply", err)
-- A depth ends it earlier: then it is JSON's turn to refuse.
assert(not pcall(util.table_to_fields, endless, {}, nil, nil, 2))
assert(not pcall(util.table_to_fields, nil, {}))
assert(not pcall(util.table_to_fields, 5, {}))

-- Messages.
local to_message = util.table_to_message

local msg = to_message { Timestamp = 5, Type = "t", Payload = cjson.null, user = "ann", gone = cjson.null, list = { 1, 2 } }
assert(msg.Timestamp == 5 and msg.Type == "t" and msg.Payload == nil)
assert(msg.Fields.user == "ann" and msg.Fields.gone == nil and msg.Fields.list == "[1,2]")
assert(msg.Fields.Timestamp == nil)

local given = { Logger = "kept", Fields = { old = 1 } }
assert(to_message({ a = 2 }, nil, given) == given)
assert(given.Logger == "kept" and given.Fields.old == 1 and given.Fields.a == 2)

msg = to_message({ Type = "t", a = 1 }, nil, nil, "body")
assert(msg.Type == nil and msg.Fields["body.Type"] == "t" and msg.Fields["body.a"] == 1)
msg = to_message({ Type = "t" }, nil, nil, "")
assert(msg.Type == "t", "an empty parent is none")

for _, odd in ipairs { "text", 5, true, print } do assert(to_message(odd) == nil) end
assert(to_message(nil) == nil)
assert(to_message({ a = 1 }, "no map").Fields.a == 1)
assert(next(to_message {}) == nil)

msg = to_message({ time = 7, none = cjson.null, size = 512, req = { method = "GET", path = { "x" }, ["user agent"] = "ua" } }, {
    time = { header = "Timestamp" },
    none = { header = "Severity" },
    size = { field = "length", type = "int", representation = "B" },
    req  = { method = { field = "verb" } },
})
assert(msg.Timestamp == 7 and msg.Severity == nil)
local length = msg.Fields.length
assert(length.value == 512 and length.value_type == 2 and length.representation == "B")
assert(msg.Fields.verb == "GET" and msg.Fields["req.path"] == '["x"]' and msg.Fields["req.user agent"] == "ua")
assert(msg.Fields.size == nil and msg.Fields.req == nil)

-- A table of entries where the value is none leaves it out.
assert(next(to_message({ req = "text" }, { req = { method = { field = "verb" } } })) == nil)

-- What a type makes of each value; nil: left out.
local function converted(value, kind)
    local got = to_message({ key = value }, { key = { field = "out", type = kind } }).Fields
    got = got and got.out
    if type(got) == "table" then
        assert(got.value_type == ({ bytes = 1, int = 2 })[kind])
        return got.value
    end
    return got
end
for _, case in ipairs {
    { "string", 5, "5" }, { "string", true, "true" }, { "string", { 1 }, "[1]" }, { "string", "s", "s" },
    { "bytes", 5, "5" }, { "bytes", { 1 }, "[1]" },
    { "int", 5, 5 }, { "int", "12", 12 }, { "int", "0x10", 16 }, { "int", true, 1 }, { "int", false, 0 },
    { "int", "twelve" }, { "int", { 1 } },
    { "double", 1.5, 1.5 }, { "double", "1e3", 1000 }, { "double", "" }, { "double", true, 1 },
    { "boolean", true, true }, { "boolean", false, false }, { "boolean", 0, false }, { "boolean", 2, true },
    { "boolean", "true", 1 }, { "boolean", "TRUE", 1 }, { "boolean", "True", 0 }, { "boolean", "", 0 }, { "boolean", { 1 } },
    { "unknown", 5, 5 }, { "unknown", { 1 }, "[1]" },
} do
    local kind, value, expected = case[1], case[2], case[3]
    local got = converted(value, kind)
    assert(got == expected, kind .. " of " .. tostring(value) .. ": " .. tostring(got))
    assert(converted(cjson.null, kind) == nil)
end
local nan = converted(0 / 0, "double")
assert(nan ~= nan)

-- A map that leads round in circles ends with the value, which must be as deep; one that does too is refused.
local round = {}
round.deeper = round
ok, err = pcall(to_message, endless, round)
assert(not ok and err == "the table is nested too deeply", err)
assert(to_message({ deeper = { deeper = 1 } }, round).Fields == nil)
assert(not pcall(to_message, endless))
