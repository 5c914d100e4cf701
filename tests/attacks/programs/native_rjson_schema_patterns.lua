-- attack: schemas | output | contained: instruction_limit exceeded / not enough memory
-- Regular expressions that take exponential time or memory, in every place that takes one, against texts made for them.
require "rjson"
local string = require "string"
local patterns = {"^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(a*)*b", "(?=(a+)+$)b", "^(?:(a+)+)\\\\1$", "(.*)(.*)(.*)(.*)(.*)\\\\1x", "a{100000}", "(a{1000}){1000}", "((a{100}){100}){100}", "(a?){500}a{500}", "[a-z]{1,1000}x", "(?<=a{1,1000})b", "\\\\p{L}{1000}", "(((((((((((((((a*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)b", "(?!(a|b)*c)",
    string.rep("(", 4000), string.rep("(a", 1000) .. string.rep(")", 1000), string.rep("a|", 2000), string.rep("a?", 1000) .. string.rep("a", 1000), "("}
local document = rjson.parse('{"' .. string.rep("a", 5000) .. '":"' .. string.rep("a", 50000) .. '"}')
function process_message()
    while true do
        for _, pattern in ipairs(patterns) do
            for _, text in ipairs({'{"additionalProperties":{"pattern":"' .. pattern .. '"}}', '{"patternProperties":{"' .. pattern .. '":{"pattern":"' .. pattern .. '"}},"additionalProperties":false}'}) do
                local ok, schema = pcall(rjson.parse_schema, text)
                if ok then pcall(document.validate, document, schema) end
            end
        end
    end
end
