-- attack: re | analysis | contained: not enough memory / instruction_limit exceeded | modules
-- Each round makes the text a hundred times longer.
local re = require "re"
local string = require "string"
function process_message()
    local text = "a"
    while true do text = re.gsub(text, ".", string.rep("%0", 100)) end
end
function timer_event() end
