-- attack: cdata | analysis | either
-- Divisions of 64-bit integers that trap in hardware, compiled.
function process_message()
    local min, zero, one = -9223372036854775808LL, 0LL, -1LL
    local x = 0LL
    for i = 1, 1000 do
        x = x + min / one + min % one + i / zero + i % zero
    end
    return 0
end
