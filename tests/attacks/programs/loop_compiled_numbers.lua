-- attack: loops | analysis | contained: instruction_limit exceeded
-- A numeric loop that the compiler turns into machine code before anybody looks.
function process_message()
    local x = 0.5
    for i = 1, 1e18 do
        x = x * 1.0000001 + i
    end
    return 0
end
