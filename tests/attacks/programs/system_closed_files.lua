-- attack: system | output | harmless
-- Files used after their end, closed twice, closed from within their own iterator.
require "io"
function process_message()
    local f = assert(io.open("/dev/null", "r"))
    f:close()
    for _, m in ipairs({"read", "write", "seek", "lines", "flush", "setvbuf", "close"}) do assert(not pcall(f[m], f, "full"), "HOLE: " .. m .. " of a closed file") end
    tostring(f)
    local g = assert(io.open("/etc/hostname", "r"))
    local it = g:lines()
    g:close()
    pcall(it) pcall(it)
    for _, mode in ipairs({"", "x", "rw", "r+b", "z", "r\0w", "wxe", "rrrrrrrr"}) do pcall(io.open, "/dev/null", mode) end
    for _, name in ipairs({"", "\0", "/dev/null\0x", "/", ".", "/nonexistent/x"}) do pcall(io.open, name) pcall(io.lines, name) pcall(io.input, name) end
    for _, what in ipairs({"", "*", "*x", "n", "l", "*L", 0, -1, {}, true, "\0"}) do
        local h = io.open("/dev/null")
        pcall(h.read, h, what)
        h:close()
    end
    pcall(io.close) pcall(io.close) pcall(io.write, "x") pcall(io.read) pcall(io.output, "/nonexistent/x")
    return 0
end
function timer_event() end
