-- attack: matchers | output | either | payload=60000
-- Patterns in a matcher that would run for years.
require "string"
function process_message()
    for _, p in ipairs({string.rep("a?", 60) .. string.rep("a", 60), ".-.-.-.-.-.-.-b", string.rep("a*", 60) .. "b", "%b()%b()", "%f[b].*.*.*.*c", "^.-.-.-.-.-$x"}) do
        local ok, m = pcall(create_message_matcher, "Payload =~ '" .. p .. "'")
        if ok then for _ = 1, 3 do pcall(m.eval, m) end end
        ok, m = pcall(create_message_matcher, "Payload !~ '" .. p .. "' || Fields[long] =~ '" .. p .. "'")
        if ok then pcall(m.eval, m) end
    end
    return 0
end
