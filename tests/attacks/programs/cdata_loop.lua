-- attack: cdata | analysis | contained: instruction_limit exceeded
-- A compiled loop over 64-bit integers.
function process_message()
    local x = 0ULL
    while true do x = x * 6364136223846793005ULL + 1ULL end
end
