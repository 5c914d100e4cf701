-- attack: re | analysis | contained: not enough memory / instruction_limit exceeded | modules
-- Ever new expressions, which the module remembers.
local re = require "re"
local i = 0
function process_message()
    while true do
        i = i + 1
        re.match("a", "'a' / 'text " .. i .. "' [a-z]*")
        re.find("a", "'a' / 'text " .. i .. "' [a-z]*")
    end
end
function timer_event() end
