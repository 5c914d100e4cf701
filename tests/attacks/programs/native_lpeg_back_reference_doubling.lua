-- attack: lpeg | analysis | contained: instruction_limit exceeded / not enough memory / stack overflow / too many
-- Groups whose value is the group before, twice: 2^n values.
local l = require "lpeg"
local patt = l.Cg(l.Cc "x", "g0")
for i = 1, 60 do patt = patt * l.Cg(l.Cb("g" .. i - 1) * l.Cb("g" .. i - 1), "g" .. i) end
local all = l.Ct(patt * l.Cb "g60")
local text = l.Cs(patt * (l.Cb "g60" / "%1%1"))
function process_message()
    while true do
        pcall(l.match, text, "")
        pcall(l.match, all, "")
    end
end
function timer_event() end
