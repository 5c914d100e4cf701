-- attack: memory | output | contained: not enough memory / instruction_limit exceeded
-- Turns the collector off and back to front, then makes garbage.
function process_message()
    collectgarbage("stop")
    pcall(collectgarbage, "setpause", 1e9)
    pcall(collectgarbage, "setstepmul", -1)
    pcall(collectgarbage, "setpause", 0)
    pcall(collectgarbage, "setstepmul", 0)
    pcall(collectgarbage, "step", 2^31)
    pcall(collectgarbage, "step", -1)
    pcall(collectgarbage, "generational")
    pcall(collectgarbage, {})
    while true do local t = {"x", {}} end
end
