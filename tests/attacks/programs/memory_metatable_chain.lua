-- attack: memory | analysis | contained: not enough memory
-- Metatables of metatables.
function process_message()
    local t = {}
    while true do t = setmetatable({}, t) end
end
