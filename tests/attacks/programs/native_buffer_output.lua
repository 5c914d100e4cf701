-- attack: data structures | analysis | contained: instruction_limit exceeded / not enough memory / output_limit exceeded | injects=1000000
-- The text of the largest buffer, as a payload and in a field, again and again.
require "circular_buffer"
local cb = circular_buffer.new(2000, 100, 60)
for i = 0, 1999 do for j = 1, 100 do cb:set(i * 60e9, j, 1e300 / 3) end end
function process_message()
    while true do
        pcall(inject_payload, "cbuf", "x", cb)
        pcall(inject_message, {Payload = cb, Fields = {a = cb}})
        pcall(inject_payload, "cbuf", "x", cb, cb, cb)
        pcall(add_to_payload, cb:format("cbufd"))
        cb:format("cbuf")
    end
end
function timer_event() end
