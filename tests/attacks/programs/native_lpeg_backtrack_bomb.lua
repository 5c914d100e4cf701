-- attack: lpeg | analysis | contained: instruction_limit exceeded
-- A grammar that tries every way to cut a run of letters, and twice over: 2^n steps.
local l = require "lpeg"
local subject = (require "string").rep("a", 60)
local bomb = l.P {"a" * l.V(1) * "b" + "a" * l.V(1) * "c" + l.P "a"} * -1
l.setmaxstack(1e6)
function process_message()
    pcall(bomb.match, bomb, subject)
    return 0
end
function timer_event() end
