-- attack: re | analysis | contained: instruction_limit exceeded | modules
-- An ambiguous grammar over a run of letters.
local re = require "re"
local string = require "string"
local bomb = re.compile("s <- 'a' s 'b' / 'a' s 'c' / 'a' s 'd' / 'a'")
function process_message()
    while true do pcall(re.match, string.rep("a", 100), bomb) end
end
function timer_event() end
