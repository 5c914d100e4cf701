-- attack: memory | analysis | contained: not enough memory
-- A table of numbers without end.
function process_message()
    local t = {}
    local i = 0
    while true do i = i + 1 t[i] = i end
end
