-- attack: data structures | analysis | contained: not enough memory / instruction_limit exceeded
-- Remarks are kept beside the buffer: those must count as well.
require "circular_buffer"
local text = (require "string").rep("remark ", 1000)
local cb = circular_buffer.new(10000, 10, 1)
cb:add(10000e9, 1, 1)
local i = 0
function process_message()
    while true do
        cb:annotate((i % 10000 + 1) * 1e9, i % 10 + 1, "alert", text)
        i = i + 1
    end
end
function timer_event() end
