-- attack: lpeg | analysis | contained: instruction_limit exceeded
-- Each level of look-ahead matches the level below twice.
local l = require "lpeg"
local patt = l.P "a"
local rules = {l.V "r1"}
for i = 1, 60 do rules["r" .. i] = #l.V("r" .. i + 1) * -(-l.V("r" .. i + 1)) end
rules.r61 = patt
local bomb = l.P(rules)
function process_message()
    while true do pcall(bomb.match, bomb, "a") end
end
function timer_event() end
