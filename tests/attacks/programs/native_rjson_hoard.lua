-- attack: json | output | contained: not enough memory / instruction_limit exceeded
-- Documents and schemas live outside of Lua's heap: those must count as well.
require "rjson"
local text = "[" .. (require "string").rep("[],", 20000) .. "1]"
local keep = {}
function process_message()
    while true do
        keep[#keep + 1] = rjson.parse(text)
        keep[#keep + 1] = rjson.parse_schema('{"properties":{"a":{"pattern":"^[a-z]+$"},"b":{"enum":[1,2,3]}}}')
        keep[#keep + 1] = rjson.parse(text):remove(1)
    end
end
