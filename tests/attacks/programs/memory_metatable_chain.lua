-- attack: memory | analysis | contained: not enough memory / instruction_limit exceeded
-- Metatables of metatables.
function process_message()
    local t = {}
    while true do t = setmetatable({}, t) end
end
