-- attack: slow instructions | analysis | contained: instruction_limit exceeded
-- Walks down a deep stack with each call.
local function deep(n)
    if n > 0 then return (deep(n - 1)) end
    while true do
        getfenv(150)
        setfenv(1, _G)
        pcall(error, "x", 100)
    end
end
function process_message() return deep(180) end
