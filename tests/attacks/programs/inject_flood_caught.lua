-- attack: inject | analysis | contained: injection limit exceeded / instruction_limit exceeded
-- Catches the refusal and goes on.
function process_message()
    while true do
        pcall(inject_message, {Payload = "x"})
        pcall(inject_payload, "txt", "x", "y")
    end
end
