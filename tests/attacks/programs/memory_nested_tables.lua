-- attack: memory | analysis | contained: not enough memory / instruction_limit exceeded
-- Tables within tables as deep as memory allows: marking must not recurse.
function process_message()
    local t = {}
    while true do t = {t} end
end
