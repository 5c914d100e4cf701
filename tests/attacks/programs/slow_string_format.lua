-- attack: slow instructions | analysis | contained: instruction_limit exceeded / not enough memory
-- %s and %q of a megabyte.
require "string"
local s = string.rep("\"\\\n", 300000)
function process_message()
    while true do
        string.format("%s", s)
        string.format("%q", s)
        string.format("%s%s", s, s)
    end
end
