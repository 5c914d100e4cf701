-- attack: library | analysis | contained: instruction_limit exceeded
-- Thousands of arguments for functions that take any number, and fields outside of the number.
local bit32 = require "bit32"
local values = {}
for i = 1, 7000 do values[i] = i end
for _, n in ipairs({-1, 32, 1e18, -1e18, 2^31, 0/0, 1/0}) do
    for _, f in pairs(bit32) do pcall(f, n) pcall(f, n, n) pcall(f, 1, n) pcall(f, 1, 1, n) pcall(f, 1, n, 1) pcall(f, 1, 1, n, 1) pcall(f, 1, 1, 1, n) end
end
function process_message()
    while true do bit32.band(unpack(values)) bit32.bxor(unpack(values)) bit32.btest(unpack(values)) end
end
function timer_event() end
