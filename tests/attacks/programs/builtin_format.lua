-- attack: library bombs | analysis | harmless
-- Widths, precisions and conversions that format into buffers of a fixed size in C.
require "string"
function process_message()
    for _, f in ipairs({"%99999d", "%.99999d", "%999s", "%-99999s", "%99.99f", "%.99f", "%99.99g", "%99.99e", "%#99.99x", "%+ #0-99d", "%%%", "%", "%y", "%*d", "%n", "%p", "%a", "%ld", "%lld", "%hhn", "%1$s", "%\0", "%000000000000000d", "%..5d", "%5.5.5d", "%c%c%c", "%i", "%5q", "%10.3q"}) do
        for _, v in ipairs({0, -1, 1e308, -1e308, 2^53, 1/0, -1/0, 0/0, "x", "a\0b"}) do
            local ok, s = pcall(string.format, f, v)
            if ok then assert(#s < 1000, "HOLE: width not limited: " .. f) end
            pcall(string.format, f)
        end
    end
    assert(#string.format("%99.99f", 1e308) > 300)
    pcall(string.format, string.rep("%d", 1000), 1)
    pcall(string.format, string.rep("%%", 100000))
    return 0
end
