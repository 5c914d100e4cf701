-- attack: memory | analysis | contained: not enough memory
-- A string that doubles.
function process_message()
    local s = "x"
    while true do s = s .. s end
end
