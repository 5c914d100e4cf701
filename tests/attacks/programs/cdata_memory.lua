-- attack: cdata | analysis | contained: not enough memory / instruction_limit exceeded
-- Cdata objects without end.
function process_message()
    local t = {}
    local x = 0LL
    while true do
        x = x + 1
        t[#t + 1] = x
    end
end
