-- attack: schemas | output | contained: instruction_limit exceeded
-- Each definition asks twice for the next one: 2^60 steps for an empty document.
require "rjson"
local table = require "table"
local function schema(keyword)
    local parts = {}
    for i = 1, 60 do parts[i] = '"d' .. i .. '":{"' .. keyword .. '":[{"$ref":"#/definitions/d' .. i + 1 .. '"},{"$ref":"#/definitions/d' .. i + 1 .. '"}]}' end
    return rjson.parse_schema('{"$ref":"#/definitions/d1","definitions":{' .. table.concat(parts, ",") .. ',"d61":{"not":{}}}}')
end
local doc = rjson.parse("{}")
function process_message()
    for _, keyword in ipairs({"allOf", "anyOf", "oneOf"}) do
        local ok, s = pcall(schema, keyword)
        if ok then pcall(doc.validate, doc, s) end
    end
    while true do pcall(doc.validate, doc, schema("oneOf")) end
end
