-- attack: loops | analysis | contained: instruction_limit exceeded / stack overflow
-- Handlers that raise in handlers, for ever.
function process_message()
    while true do
        xpcall(function() error("a") end, function() error("b") end)
        xpcall(function() local x = nil; x() end, error)
        xpcall(nil, nil)
    end
end
