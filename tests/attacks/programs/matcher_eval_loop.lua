-- attack: matchers | output | contained: instruction_limit exceeded | payload=60000
-- The most expensive matcher there may be, evaluated for ever.
require "string"
function process_message()
    local e = "Payload =~ 'a.*a.*b'" .. string.rep(" || Payload =~ 'a.*b'", 100)
    local ok, m = pcall(create_message_matcher, e)
    if not ok then m = create_message_matcher("Payload =~ 'a.*b'") end
    while true do pcall(m.eval, m) end
end
