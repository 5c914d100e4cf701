-- attack: memory | analysis | contained: not enough memory / instruction_limit exceeded
-- A table of names without end.
function process_message()
    local t = {}
    local i = 0
    while true do i = i + 1 t["k" .. i] = true end
end
