-- attack: schemas | output | either
-- Keywords with values of the wrong kind and of absurd size.
require "rjson"
local values = {"-1", "1e400", "1e300", "18446744073709551616", "-1e308", "0", "5e-324", "0.1", "null", "true", "{}", "[]", '"x"', '[[]]', '[{}]', '{"a":5}', '{"(":{}}', '[1,1]', '["a","a"]'}
local keywords = {"type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern", "items", "prefixItems", "additionalItems", "maxItems", "minItems", "uniqueItems", "contains", "minContains", "maxContains", "maxProperties", "minProperties", "required", "properties",
    "patternProperties", "additionalProperties", "dependencies", "propertyNames", "if", "then", "else", "allOf", "anyOf", "oneOf", "not", "format", "contentEncoding", "contentMediaType", "definitions", "$defs", "$id", "id", "$anchor", "$ref", "$schema", "$vocabulary"}
local documents = {"{}", "[]", "5", "1e308", '"x"', "null", '{"a":[1,1]}', "[1,[2],{}]"}
local next_keyword = 0
function process_message()
    for _ = 1, 15 do
        next_keyword = next_keyword % #keywords + 1
        for _, value in ipairs(values) do
            local ok, schema = pcall(rjson.parse_schema, '{"' .. keywords[next_keyword] .. '":' .. value .. "}")
            if ok then for _, document in ipairs(documents) do pcall(function() return rjson.parse(document):validate(schema) end) end end
        end
    end
    return 0
end
