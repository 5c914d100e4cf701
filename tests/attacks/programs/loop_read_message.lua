-- attack: loops | analysis | contained: instruction_limit exceeded
-- The host's own functions called for ever.
function process_message()
    while true do
        read_message("Payload")
        read_message("Fields[number]")
        read_config("nothing")
    end
end
