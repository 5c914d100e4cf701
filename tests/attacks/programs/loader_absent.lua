-- attack: loaders | analysis | harmless
-- Nothing that turns text or bytes into code may be there.
require "string"
require "os"
for _, name in ipairs({"load", "loadstring", "loadfile", "dofile", "newproxy", "ffi", "jit", "debug", "collectgarbage", "io", "coroutine"}) do
    assert(_G[name] == nil, "HOLE: " .. name)
    assert(rawget(_G, name) == nil, "HOLE: " .. name)
end
assert(string.dump == nil, "HOLE: string.dump")
for _, name in ipairs({"getenv", "execute", "exit", "remove", "rename", "setlocale", "tmpname"}) do assert(os[name] == nil, "HOLE: os." .. name) end
for _, name in ipairs({"ffi", "jit", "debug", "io", "coroutine", "jit.util", "jit.opt", "jit.p", "jit.bc", "table.new", "table.clear", "string.buffer", "_G.debug", "thread.exdata"}) do
    local ok, m = pcall(require, name)
    assert(not ok, "HOLE: require " .. name)
end
function process_message() return 0 end
function timer_event() end
