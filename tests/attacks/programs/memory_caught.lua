-- attack: memory | analysis | contained: not enough memory / instruction_limit exceeded
-- Catches the memory error at the limit, for ever.
function process_message()
    local keep = {}
    while true do
        pcall(function()
            local s = "x"
            while true do s = s .. s keep[#keep + 1] = s end
        end)
    end
end
