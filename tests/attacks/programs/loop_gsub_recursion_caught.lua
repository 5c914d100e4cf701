-- attack: loops | analysis | contained: instruction_limit exceeded
-- The same, catching every overflow as deep down as possible.
require "string"
local function f(s)
    local ok, e = pcall(string.gsub, s, ".", f)
    return ok and e or "x"
end
function process_message()
    while true do f("aaaaaaaa") end
end
