-- attack: data structures | analysis | contained: instruction_limit exceeded / not enough memory
-- Long arrays for windows and words.
require "sax"
local values = {}
for i = 1, 100000 do values[i] = i * 7919 % 1000 end
local window = sax.window.new(4096, 2048, 16)
function process_message()
    while true do
        pcall(window.add, window, values)
        pcall(sax.word.new, values, 2, 16) pcall(sax.word.new, values, 50000, 16)
        pcall(sax.word.new, (require "string").rep("A", 100000), 16)
        tostring(window)
    end
end
function timer_event() end
