-- attack: loops | analysis | contained: stack overflow / instruction_limit exceeded / too complex
-- The replacement function replaces, whose replacement function replaces: this overflowed the C stack of others.
require "string"
local function f(s) return (string.gsub(s, ".", f)) end
function process_message()
    f("aaaa")
    return 0
end
