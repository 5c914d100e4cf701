-- attack: library bombs | analysis | harmless
-- tonumber with odd bases, math.random with odd ranges, and arithmetic that traps in C.
require "math"
function process_message()
    for _, base in ipairs({0, 1, -1, 37, 2^31, 2^53, 0/0, 1/0}) do pcall(tonumber, "10", base) end
    for _, s in ipairs({"", " ", "-", "0x", "0x-1", "1e", "nan", "inf", "0x1p9999", "1e99999", "1\0", "1_0", "0b1", "1LL", "1i"}) do
        pcall(tonumber, s)
        for base = 2, 36 do pcall(tonumber, s, base) end
    end
    for _, r in ipairs({{0}, {-1}, {2, 1}, {-2^31, 2^31}, {-2^53, 2^53}, {1e308, -1e308}, {0/0}, {1/0}, {-1/0, 1/0}, {1, 2, 3}}) do
        pcall(math.random, unpack(r)) pcall(math.randomseed, r[1])
    end
    for _, n in ipairs({0, -1, 2^31, -2^31, -2^63, 2^63, 1/0, -1/0, 0/0}) do
        local x = n % 0, 0 % n, n % -1, -2^63 % n, n / 0, n ^ n
        for _, f in ipairs({"abs", "ceil", "floor", "exp", "frexp", "log", "modf", "sqrt", "fmod", "ldexp", "max", "min", "pow", "atan2"}) do
            if math[f] then pcall(math[f], n) pcall(math[f], n, n) pcall(math[f], 1, n) pcall(math[f], n, 0) end
        end
    end
    return 0
end
