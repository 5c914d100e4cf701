-- attack: loops | analysis | contained: instruction_limit exceeded
-- Nested compiled loops, with side exits that link trace to trace.
function process_message()
    local t = {0, 0, 0, 0}
    while true do
        for i = 1, 4 do
            if t[i] % 2 == 0 then t[i] = t[i] + 1 else t[i] = t[i] - 3 end
            for j = i, 4 do t[j] = t[j] + t[i] end
        end
    end
end
