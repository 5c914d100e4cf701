-- attack: lpeg | analysis | contained: instruction_limit exceeded
-- A search that looks to the end of a long text at each of its places.
local l = require "lpeg"
local subject = (require "string").rep("a", 1000000)
local patt = l.P {(1 - l.P "b") ^ 0 * "b" + 1 * l.V(1)}
local spans = l.P {l.S "a" ^ 0 * "b" + 1 * l.V(1)}
function process_message()
    pcall(l.match, spans, subject)
    pcall(l.match, patt, subject)
    return 0
end
function timer_event() end
