-- attack: lpeg | analysis | contained: instruction_limit exceeded
-- The same in one go, caught and tried again.
local l = require "lpeg"
local string = require "string"
local subject = string.rep("a", 1000000)
local patts = {l.C(l.P(1) ^ 0) / string.rep("%0", 100000), l.C(l.P(1) ^ 0) / string.rep("%1", 100000), l.Cs((l.P(1) / subject) ^ 0), l.Cs(l.Cc(subject) ^ -1 * (l.Cc(subject) * 1) ^ 0),
    l.Ct((l.Cc(subject) * 1 / "%0%0") ^ 0)}
function process_message()
    while true do
        for _, p in ipairs(patts) do pcall(l.match, p, subject) end
    end
end
function timer_event() end
