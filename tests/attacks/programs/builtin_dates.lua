-- attack: library bombs | analysis | harmless
-- Dates out of range and formats that the C library does not know.
require "os"
require "string"
function process_message()
    for _, f in ipairs({"%", "%E", "%O", "%Ez", "%!", "%1", "%\0", "!%c", "!*t", "*t", "!", "", "%E%E", string.rep("%c", 10000), string.rep("%", 9999), string.rep("x", 100000), "%c\0%c"}) do
        for _, t in ipairs({0, -1, 2^31, -2^31, 2^53, -2^53, 2^63, -2^63, 1e300, -1e300, 1/0, -1/0, 0/0, 67768036191676799, 67768036191676800}) do
            pcall(os.date, f, t)
        end
    end
    for _, y in ipairs({0, -1, 1900, 2^31, -2^31, 2^53, 1/0, 0/0, "x", {}}) do
        pcall(os.time, {year = y, month = y, day = y, hour = y, min = y, sec = y})
        pcall(os.time, {year = 2000, month = 1, day = y})
        pcall(os.difftime, y, y)
    end
    pcall(os.time, setmetatable({}, {__index = function() error("x") end}))
    pcall(os.time, {})
    return 0
end
