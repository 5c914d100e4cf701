-- attack: data structures | analysis | either
-- Times, columns and texts that mean nothing.
require "circular_buffer"
local string = require "string"
local cb = circular_buffer.new(10, 3, 60)
local odd = {-1e300, -1e18, -1, 0, 0.5, 1, 3, 4, 256, 2^31, 2^32, 2^53, 2^63, 2^64, 1e18, 1e300, 1/0, -1/0, 0/0, "x", "1", {}, true, print}
local texts = {"", "0", "0 0", "nan nan", string.rep("1 ", 31), string.rep("1 ", 32), string.rep("1 ", 33), string.rep("1 ", 100000), string.rep("9", 100000), "1e999 0 " .. string.rep("nan ", 30), "0 0 " .. string.rep("1e308 ", 30) .. "1e18 1", "0 0 " .. string.rep("1 ", 30) .. "0 5 -1 7", string.rep("-", 10000), string.rep("\0", 1000), "1 1 " .. string.rep("0x1p1023 ", 30)}
function process_message()
    for _, a in ipairs(odd) do
        for _, name in ipairs({"get", "get_delta", "get_range", "get_range_delta", "set_header", "get_header", "format", "fromstring", "reset_delta", "current_time", "get_configuration"}) do
            pcall(cb[name], cb, a) pcall(cb[name], cb, a, a) pcall(cb[name], cb, a, a, a) pcall(cb[name], cb, 1, a) pcall(cb[name], cb, 1, 0, a)
        end
        for _, b in ipairs(odd) do
            pcall(cb.add, cb, a, 1, b) pcall(cb.set, cb, b, a, 1) pcall(cb.add, cb, 0, a, b) pcall(cb.set_header, cb, 1, a, b) pcall(cb.set_header, cb, a, "n", "u", b) pcall(cb.annotate, cb, a, 1, "info", b) pcall(cb.annotate, cb, 0, a, b, "x") pcall(cb.annotate, cb, 0, 1, "info", "x", b)
        end
    end
    for _, text in ipairs(texts) do pcall(cb.fromstring, cb, text) pcall(inject_payload, "cbuf", "x", cb) end
    pcall(cb.set_header, cb, 1, string.rep("n", 100000), string.rep("u", 100000)) pcall(cb.annotate, cb, 0, 1, "info", string.rep("\0\255\"\\", 10000))
    return 0
end
function timer_event() pcall(inject_payload, "cbuf", "x", cb) end
