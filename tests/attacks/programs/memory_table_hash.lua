-- attack: memory | analysis | contained: not enough memory
-- A table of names without end.
function process_message()
    local t = {}
    local i = 0
    while true do i = i + 1 t["k" .. i] = true end
end
