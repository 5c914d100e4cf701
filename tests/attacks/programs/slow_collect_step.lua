-- attack: slow instructions | output | contained: instruction_limit exceeded
-- Collections in steps and counts.
local t = {}
for i = 1, 60000 do t[i] = {i} end
function process_message()
    while true do
        collectgarbage("step", 1e6)
        collectgarbage("count")
        collectgarbage("setpause", 1)
    end
end
