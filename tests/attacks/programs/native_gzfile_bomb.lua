-- attack: compression | output | either
-- A compressed file of many megabytes read as one line and as one text; files that never end; objects used after they were closed.
local gzfile, zlib = require "gzfile", require "zlib"
require "io"
require "os"
local string = require "string"
local name = os.tmpname()
local file = io.open(name, "wb")
local deflate = zlib.deflate(9, 31)
for _ = 1, 4 do file:write((deflate(string.rep("\0", 100000)))) end
file:write((deflate("", "finish")), "garbage")
file:close()
local opened = {}
for i = 1, 6 do opened[i] = gzfile.open(name, "rb", ({1, 8192, 1e6, nil, 2, 3})[i]) end
local whole, text = pcall(gzfile.string, name, "rb", 8192, 1e18)
local small = pcall(gzfile.string, name, "rb", 8192, 100)
os.remove(name)
function process_message()
    assert(not small, "HOLE: max_bytes was passed over")
    for _, mode in ipairs({"w", "a", "r+", "", "rb9"}) do pcall(gzfile.open, "written", mode) end
    for _, path in ipairs({"/dev/zero", "/dev/random", "/proc/self/mem", "/", ".", "", "a\0b", "/dev/stdin"}) do
        local ok, f = pcall(gzfile.open, path)
        if ok and f then pcall(f.close, f) end
        pcall(gzfile.string, path)
    end
    for _, size in ipairs({0, -1, 1e18, 0/0, 1/0, 2^31}) do pcall(gzfile.open, "attack.lua", "rb", size) pcall(gzfile.string, "attack.lua", "rb", 8192, size) end
    for i, f in ipairs(opened) do
        for _, max in ipairs({0, -1, 10, 1e18, 0/0}) do pcall(function() for line in f:lines(max) do if #line > 1e7 then error("long") end end end) end
        pcall(f.seek, f, "set", 1e18) pcall(f.seek, f, "cur", -1e18) pcall(f.seek, f, "end", 0) pcall(f.seek, f, "set", 0/0) pcall(f.seek, f, "set", 1)
        local iterate = f:lines_tail(true)
        f:close()
        pcall(iterate) pcall(f.close, f) pcall(f.lines, f) pcall(f.seek, f) pcall(f.lines_tail, f)
    end
    opened = {}
    return 0
end
