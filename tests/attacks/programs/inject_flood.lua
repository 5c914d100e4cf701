-- attack: inject | analysis | contained: injection limit exceeded
-- More messages than process_message may inject.
function process_message()
    while true do inject_message({Payload = "x"}) end
end
