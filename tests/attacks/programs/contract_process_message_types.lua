-- attack: contract | analysis | contained: *
-- process_message becomes a number.
function process_message()
    process_message = 42
    timer_event = "x"
    return 0
end
