-- attack: loops | analysis | contained: instruction_limit exceeded / stack overflow
-- Protected calls of protected calls, without a function of its own to be stopped in.
function process_message()
    while true do
        pcall(pcall, pcall, pcall, pcall, error)
        pcall(xpcall, error, pcall)
    end
end
