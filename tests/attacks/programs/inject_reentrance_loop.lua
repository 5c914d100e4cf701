-- attack: inject | analysis | contained: instruction_limit exceeded / inject_message | injects=100000
-- The message table's __index loops: the encoder waits for it.
function process_message()
    local mt = {__index = function() while true do end end}
    inject_message({Fields = {x = setmetatable({}, mt)}})
    inject_message(setmetatable({}, mt))
    error("inject_message never asked", 0)
end
