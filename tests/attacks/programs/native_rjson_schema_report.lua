-- attack: schemas | output | contained: instruction_limit exceeded / not enough memory
-- A hundred thousand violations, with long names and values to be told.
require "rjson"
local string = require "string"
local text = '{"' .. string.rep("n", 10000) .. '":[' .. string.rep('"' .. string.rep("v", 20) .. '",', 40000) .. "1]}"
local schema = rjson.parse_schema('{"additionalProperties":{"items":{"type":"number","enum":[1,2,3],"not":{},"minLength":100,"pattern":"^x","anyOf":[{"type":"null"},{"type":"object"}]}}}')
function process_message()
    local document = rjson.parse(text)
    while true do
        local ok, valid, first, report = pcall(document.validate, document, schema)
        if ok and report then assert(#report < 4000000, "HOLE: a report of " .. #report .. " bytes") end
    end
end
