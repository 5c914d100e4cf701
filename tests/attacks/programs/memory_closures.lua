-- attack: memory | analysis | contained: not enough memory / instruction_limit exceeded
-- Closures, each with its own upvalues.
function process_message()
    local t = {}
    while true do
        local a, b, c = 1, 2, 3
        t[#t + 1] = function() a = b + c return a end
    end
end
