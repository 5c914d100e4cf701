-- attack: loops | analysis | contained: instruction_limit exceeded | log_level=7
-- print looks up the global tostring, which loops.
function tostring() while true do end end
function process_message()
    print("a", {})
    return 0
end
