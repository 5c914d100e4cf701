-- attack: memory | analysis | contained: not enough memory / instruction_limit exceeded
-- Globals without end, already while the plugin is loaded.
local i = 0
while true do
    i = i + 1
    _G["g" .. i] = {i}
end
