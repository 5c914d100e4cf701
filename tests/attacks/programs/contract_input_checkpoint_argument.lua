-- attack: contract | input | harmless
-- Takes its checkpoint for what it is not.
function process_message(checkpoint)
    assert(checkpoint == nil or type(checkpoint) == "number" or type(checkpoint) == "string")
    pcall(inject_message, {Payload = "x"}, checkpoint)
    return 0
end
