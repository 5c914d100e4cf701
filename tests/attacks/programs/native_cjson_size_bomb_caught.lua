-- attack: json | analysis | contained: instruction_limit exceeded / not enough memory
-- The same and its like, caught and tried again.
local cjson = require "cjson"
local string = require "string"
local texts = {"[" .. string.rep("[],", 300000) .. "1]", "[" .. string.rep("{},", 300000) .. "1]", '{"' .. string.rep('a":1,"', 200000) .. '":1}', "[" .. string.rep("1,", 500000) .. "1]",
    '"' .. string.rep("\\u00e9", 200000) .. '"', '"' .. string.rep("\\", 1000001) .. '"', string.rep(" ", 1000000), string.rep("[", 1000000)}
function process_message()
    while true do
        for _, text in ipairs(texts) do pcall(cjson.decode, text) end
    end
end
function timer_event() end
