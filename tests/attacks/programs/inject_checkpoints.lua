-- attack: inject | input | harmless
-- Checkpoints that would break the checkpoint file or change the type all the time.
require "string"
function process_message()
    for _, cp in ipairs({"'", "\\", "x'\nos.execute('x')--", "\n", "\0", "a\0b", "", string.rep("x", 8191), string.rep("x", 8192), string.rep("x", 1000000), "]]", "\255", 0, -1, 0.5, 2^53, 2^63, 1e308, 1/0, -1/0, 0/0, true, {}, print}) do
        pcall(inject_message, {Payload = "x"}, cp)
        pcall(inject_message, nil, cp)
        pcall(inject_message, "not a message", cp)
    end
    assert(not pcall(inject_message, nil))
    assert(not pcall(inject_message, nil, nil))
    return 0
end
function timer_event() end
