-- attack: schemas | output | either
-- References in circles, to nothing, to the network and to files.
require "rjson"
local schemas = {
    '{"$ref":"#"}', '{"allOf":[{"$ref":"#"}]}', '{"not":{"$ref":"#"}}', '{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}', '{"if":{"$ref":"#"},"then":{"$ref":"#"},"else":{"$ref":"#"},"$schema":"http://json-schema.org/draft-07/schema#"}',
    '{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}}', '{"items":{"$ref":"#"}}', '{"$ref":"#/x/y/z"}', '{"$ref":"file:///etc/passwd"}', '{"$ref":"http://127.0.0.1:1/x"}',
    '{"$schema":"https://json-schema.org/draft/2020-12/schema","$dynamicAnchor":"n","$dynamicRef":"#n"}', '{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"$recursiveRef":"#"}',
    '{"$schema":"https://json-schema.org/draft/2020-12/schema","allOf":[{"$dynamicRef":"#n"},{"$dynamicAnchor":"n","$ref":"#"}],"unevaluatedProperties":false}',
    '{"$schema":"http://example.com/mine","type":"object"}', '{"$id":"http://a/b","$ref":"http://a/b"}', '{"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"https://json-schema.org/draft/2020-12/schema"}', '{"$schema":5}', '{"$ref":5}',
}
local documents = {"{}", "[[[[[[]]]]]]", "1", '{"a":{"a":{"a":1}}}', '{"$ref":"#"}'}
function process_message()
    for _, text in ipairs(schemas) do
        local ok, schema = pcall(rjson.parse_schema, text)
        for _, document in ipairs(documents) do
            if ok then pcall(function() return rjson.parse(document):validate(schema) end) end
        end
    end
    return 0
end
