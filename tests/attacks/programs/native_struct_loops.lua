-- attack: library | analysis | contained: instruction_limit exceeded / not enough memory
-- Long formats and long texts, again and again.
local struct = require "struct"
local string = require "string"
local format, text = string.rep("x", 500000), string.rep("a", 1000000)
function process_message()
    while true do
        pcall(struct.pack, format) pcall(struct.size, format) pcall(struct.unpack, format, text) pcall(struct.pack, "s", text) pcall(struct.unpack, "s", text) pcall(struct.pack, string.rep("c1000000", 100), text, text)
    end
end
function timer_event() end
