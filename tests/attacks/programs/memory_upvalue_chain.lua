-- attack: memory | analysis | contained: not enough memory / instruction_limit exceeded
-- Each closure holds the one before it: a chain that the collector must not recurse over.
function process_message()
    local f = function() end
    while true do
        local g = f
        f = function() return g end
    end
end
