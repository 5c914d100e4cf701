-- attack: json | analysis | contained: not enough memory / instruction_limit exceeded
-- An object with ever more keys that share their first and last letters, as a weak hash would like to have them.
local cjson = require "cjson"
local string, table = require "string", require "table"
local keep = {}
function process_message()
    while true do
        local parts = {}
        for i = 1, 5000 do parts[i] = string.format('"%s%08d%s":%d', string.rep("a", 40), i + #keep * 5000, string.rep("z", 40), i) end
        keep[#keep + 1] = cjson.decode("{" .. table.concat(parts, ",") .. "}")
    end
end
function timer_event() end
