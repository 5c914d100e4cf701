-- attack: schemas | output | contained: instruction_limit exceeded / not enough memory
-- Keywords that have to remember what others looked at, on wide and deep documents.
require "rjson"
local string, table = require "string", require "table"
local keys = {}
for i = 1, 3000 do keys[i] = '"k' .. i .. '":' .. i end
local wide = "{" .. table.concat(keys, ",") .. "}"
local branch = '{"properties":{"k1":{}},"patternProperties":{"^k[0-9]*9$":{}}}'
local schema = rjson.parse_schema('{"$schema":"https://json-schema.org/draft/2020-12/schema","anyOf":[' .. string.rep(branch .. ",", 200) .. branch .. '],"unevaluatedProperties":{"$ref":"#/$defs/x"},"unevaluatedItems":false,"$defs":{"x":{"type":"integer"}},"dependentSchemas":{"k1":{"unevaluatedProperties":' .. branch .. "}}}")
local document = rjson.parse(wide)
function process_message()
    while true do pcall(document.validate, document, schema) end
end
