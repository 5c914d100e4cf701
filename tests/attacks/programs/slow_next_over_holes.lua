-- attack: slow instructions | analysis | contained: instruction_limit exceeded
-- next has to look over a quarter of a million empty places to find the one that is left.
local t = {}
for i = 1, 200000 do t[i] = i end
for i = 1, 199999 do t[i] = nil end
function process_message()
    while true do
        next(t)
        for k in pairs(t) do break end
    end
end
