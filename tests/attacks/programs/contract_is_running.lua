-- attack: contract | input | contained: instruction_limit exceeded
-- An input that asks whether it should go on, and goes on whatever the answer.
function process_message()
    pcall(is_running, 1, 2, {})
    while true do is_running() end
end
