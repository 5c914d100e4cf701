-- attack: memory | analysis | contained: instruction_limit exceeded / not enough memory
-- Weak and ephemeron-like tables, which a collector may treat in quadratic time.
function process_message()
    local weak = setmetatable({}, {__mode = "kv"})
    local keys = setmetatable({}, {__mode = "k"})
    while true do
        local t = {}
        weak[t] = t
        keys[t] = {t}
    end
end
