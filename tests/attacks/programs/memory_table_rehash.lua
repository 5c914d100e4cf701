-- attack: memory | analysis | contained: not enough memory / instruction_limit exceeded / overflow
-- Powers of two as keys, which tempt the array part to grow.
function process_message()
    local keep = {}
    while true do
        local t = {}
        for i = 0, 60 do t[2 ^ i] = i t[-(2 ^ i)] = i end
        keep[#keep + 1] = t
    end
end
