-- attack: payload | analysis | harmless | injects=100000
-- Numbers and values that are hard to print, and thousands of arguments.
require "string"
require "math"
function process_message()
    for _, n in ipairs({0/0, 1/0, -1/0, 2^31, -2^31, -2147483648, 2^53, 1e308, -1e308, 5e-324, -0, 0.999999999, 1e-9}) do pcall(add_to_payload, n) pcall(inject_payload, "txt", "n", n) end
    for _, v in ipairs({true, false, print, {}, "a\0b", setmetatable({}, {__tostring = function() return "x" end})}) do pcall(add_to_payload, v) end
    pcall(add_to_payload) pcall(inject_payload) pcall(inject_payload, nil, nil, "x") pcall(inject_payload, "txt", nil, "x") pcall(inject_payload, {}, {})
    local t = {}
    for i = 1, 7000 do t[i] = i end
    pcall(add_to_payload, unpack(t))
    pcall(inject_payload, unpack(t))
    inject_payload("txt", "end", "y")
    return 0
end
function timer_event() end
