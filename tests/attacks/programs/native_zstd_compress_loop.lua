-- attack: compression | analysis | contained: not enough memory / instruction_limit exceeded
-- The highest level on the longest text that fits, again and again.
local zstd = require "zstd"
local text = (require "string").rep("abcdefghijklmnopqrstuvwxyz0123456789", 10000)
function process_message()
    while true do pcall(zstd.compress, text, 19) end
end
function timer_event() end
