-- attack: json | output | harmless
-- Values of documents that were removed, parsed again or collected, and iterators over what is gone.
require "rjson"
local string = require "string"
local function hole(ok, what) assert(not ok, "HOLE: " .. what) end
function process_message()
    local doc = rjson.parse('{"a":{"b":[1,2,3]},"c":"x"}')
    local a, other = doc:find("a"), rjson.parse('[[1],[2]]')
    local b = doc:find(a, "b")
    hole(pcall(other.value, other, a), "a value of another document")
    hole(pcall(other.find, other, b, 0), "a value of another document")
    local removed = doc:remove("a")
    hole(pcall(doc.find, doc, a, "b"), "a removed value was found")
    pcall(doc.size, doc, b)
    for _, v in ipairs({removed}) do assert(removed:size(removed:find("b")) == 3) end
    local iterate = doc:iter()
    doc:parse("[" .. string.rep("[],", 1000) .. "1]")
    hole(pcall(iterate), "an iterator over a replaced document")
    pcall(doc.parse, doc, "{")
    pcall(doc.find, doc, 1) pcall(doc.value, doc) pcall(doc.make_field, doc) pcall(doc.remove, doc, 0)
    local kept = {}
    for i = 1, 200 do kept[i] = rjson.parse('{"n":' .. i .. "}"):make_field() end
    pcall(inject_message, {Fields = {a = kept[1], b = kept[200]}})
    local field = rjson.parse('{"n":[1,2]}')
    local made = field:make_field(field:find("n"))
    field:parse("1")
    pcall(inject_message, {Fields = {a = made}})
    pcall(encode_message, {Fields = {a = made}})
    made.userdata = other
    pcall(inject_message, {Fields = {a = made}})
    pcall(function() for i, v in other:iter() do pcall(other.remove, other, 0) pcall(other.parse, other, "[1]") if i > 5 then break end end end)
    doc = rjson.parse('{"s":[{"x":1}]}')
    local shallow = doc:remove_shallow("s", 0)
    pcall(doc.find, doc, shallow, "x") pcall(doc.remove, doc, shallow) pcall(doc.remove_shallow, doc) pcall(doc.remove, doc)
    return 0
end
