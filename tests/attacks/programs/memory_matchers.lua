-- attack: memory | output | contained: not enough memory / instruction_limit exceeded / too many
-- Compiled matchers live outside of Lua's heap: those must count as well.
require "string"
local keep = {}
local terms = {}
for i = 1, 100 do terms[i] = "Type == '" .. string.rep("x", 200) .. "'" end
require "table"
local expression = table.concat(terms, " || ")
function process_message()
    while true do keep[#keep + 1] = create_message_matcher(expression) end
end
