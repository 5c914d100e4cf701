-- attack: slow instructions | output | contained: instruction_limit exceeded
-- Encodes the greatest message it may, for ever.
require "string"
local m = {Payload = string.rep("x", 60000)}
function process_message()
    while true do
        encode_message(m)
        decode_message(encode_message(m))
    end
end
