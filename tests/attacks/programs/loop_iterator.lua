-- attack: loops | analysis | contained: instruction_limit exceeded
-- A generic for whose iterator never gives nil.
function process_message()
    for _ in function() return true end do end
end
