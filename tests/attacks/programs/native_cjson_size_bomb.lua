-- attack: json | analysis | contained: not enough memory / instruction_limit exceeded
-- A small text that is a large value: three bytes each become a table.
local cjson = require "cjson"
local text = "[" .. (require "string").rep("[],", 300000) .. "1]"
local keep = {}
function process_message()
    while true do keep[#keep + 1] = cjson.decode(text) end
end
function timer_event() end
