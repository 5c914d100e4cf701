-- attack: inject | output | contained: instruction_limit exceeded
-- An output has no limit of messages, but one of instructions.
function process_message()
    while true do inject_message({Payload = "x"}) end
end
