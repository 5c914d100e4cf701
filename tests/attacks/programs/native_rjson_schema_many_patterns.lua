-- attack: schemas | output | contained: not enough memory / instruction_limit exceeded
-- A thousand regular expressions per schema, each new, again and again.
require "rjson"
local table = require "table"
local round = 0
function process_message()
    while true do
        round = round + 1
        local parts = {}
        for i = 1, 300 do parts[i] = '"[a-z]{1,200}' .. round .. "x" .. i .. '":{}' end
        pcall(rjson.parse_schema, '{"patternProperties":{' .. table.concat(parts, ",") .. "}}")
    end
end
