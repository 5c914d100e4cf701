-- attack: loaders | output | harmless
-- The same for plugins that may use files.
require "string"
require "os"
for _, name in ipairs({"load", "loadstring", "loadfile", "dofile", "newproxy", "ffi", "jit", "debug"}) do assert(_G[name] == nil, "HOLE: " .. name) end
assert(string.dump == nil, "HOLE: string.dump")
assert(os.exit == nil, "HOLE: os.exit")
assert(os.setlocale == nil, "HOLE: os.setlocale")
for _, name in ipairs({"ffi", "jit", "debug", "jit.util", "jit.opt", "table.new", "string.buffer"}) do assert(not pcall(require, name), "HOLE: require " .. name) end
function process_message() return 0 end
function timer_event() end
