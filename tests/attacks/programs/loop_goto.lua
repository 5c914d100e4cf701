-- attack: loops | analysis | contained: instruction_limit exceeded
-- A loop without any loop statement.
function process_message()
    local f = function() return 1 end
    ::again::
    f()
    goto again
end
