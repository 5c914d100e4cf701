-- attack: system | output | contained: not enough memory / instruction_limit exceeded
-- Read counts and buffer sizes beyond all memory.
require "io"
function process_message()
    local f = assert(io.open("/dev/zero", "rb"))
    for _, n in ipairs({-1, 0, 2^31, 2^53, 2^63, 1e300, 1/0, 0/0}) do
        pcall(f.setvbuf, f, "full", n)
        pcall(f.seek, f, "set", n)
        local g = io.open("/dev/null", "rb")
        pcall(g.read, g, n)
        g:close()
    end
    f:read(2^31)
    error("HOLE: read two gigabytes", 0)
end
