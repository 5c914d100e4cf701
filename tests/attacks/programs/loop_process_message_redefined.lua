-- attack: loops | analysis | contained: instruction_limit exceeded
-- The first message is handled well; the function put in its place loops.
function process_message()
    process_message = function() while true do end end
    return 0
end
