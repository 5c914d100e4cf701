-- attack: loops | analysis | contained: instruction_limit exceeded / stack overflow
-- A handler that raises, and that is its own handler.
local function handler(e)
    xpcall(error, handler)
    error(e)
end
function process_message()
    while true do xpcall(error, handler) end
end
