-- attack: schemas | output | contained: instruction_limit exceeded / not enough memory
-- Long arrays whose items differ in their last byte only, and must be unique or one of many.
require "rjson"
local string, table = require "string", require "table"
local function array(n, item) local parts = {} for i = 1, n do parts[i] = string.format(item, i) end return "[" .. table.concat(parts, ",") .. "]" end
local documents = {array(20000, "[[[%d]]]"), array(10000, '{"a":{"b":"' .. string.rep("x", 20) .. '%d"}}'), array(20000, "%d.5"), array(20000, '"%d"')}
local unique = rjson.parse_schema('{"uniqueItems":true}')
local enum = rjson.parse_schema('{"items":{"enum":' .. array(2000, "[[[%d,0]]]") .. "}}")
local contains = rjson.parse_schema('{"$schema":"http://json-schema.org/draft-07/schema#","items":{"type":"array","contains":{"const":5}},"contains":{"contains":{"contains":{"const":"x"}}}}')
function process_message()
    while true do
        for _, text in ipairs(documents) do
            local ok, document = pcall(rjson.parse, text)
            if ok then
                for _, schema in ipairs({unique, enum, contains}) do pcall(document.validate, document, schema) end
            end
        end
    end
end
