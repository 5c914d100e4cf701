-- attack: inject | input | contained: instruction_limit exceeded
-- So has an input that has an instruction limit.
function process_message()
    while true do inject_message({Payload = "x"}, 1) end
end
