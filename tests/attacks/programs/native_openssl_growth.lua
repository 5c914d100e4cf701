-- attack: library | analysis | contained: not enough memory / instruction_limit exceeded
-- Encodings that make a text longer with each round.
local openssl = require "openssl"
local text = "x"
function process_message()
    while true do text = openssl.hex(openssl.base64(text)) end
end
function timer_event() end
