-- Input: injects `messages` messages with a payload of `size` bytes.
require "string"
local total = read_config("messages")
local msg = { Type = "bench", Payload = string.rep("0123456789abcdef", read_config("size") / 16) }

function process_message()
    for _ = 1, total do inject_message(msg) end
    return 0
end
