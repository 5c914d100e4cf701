-- attack: system | output | contained: not enough memory / instruction_limit exceeded
-- Reads a file that has no end, whole and by lines.
require "io"
function process_message()
    local f = assert(io.open("/dev/zero", "rb"))
    pcall(f.read, f, "*l")
    pcall(f.read, f, "*a")
    local g = assert(io.open("/dev/zero", "rb"))
    local s = g:read("*a")
    error("HOLE: read " .. #s .. " bytes", 0)
end
