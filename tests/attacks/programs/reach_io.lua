-- attack: reachability | output | harmless
-- The same for a plugin that may use files and coroutines.
require "string"
require "table"
require "math"
require "os"
require "io"
require "coroutine"
local banned = {load = 1, loadstring = 1, loadfile = 1, dofile = 1, newproxy = 1, dump = 1, loadlib = 1, sethook = 1, gethook = 1, getregistry = 1, getupvalue = 1, setupvalue = 1, upvaluejoin = 1,
    cdef = 1, cast = 1, exit = 1, ffi = 1, jit = 1, debug = 1, getinfo = 1, getlocal = 1, setlocal = 1, setlocale = 1}
local co = coroutine.create(function() end)
local seen, queue = {}, {_G, getmetatable(""), getfenv(0), getfenv(1), package, create_message_matcher("TRUE"), io.stdout, getmetatable(co)}
local n = 0
while #queue > 0 do
    local v = table.remove(queue)
    local kind = type(v)
    if kind ~= "string" and kind ~= "number" and kind ~= "boolean" and not seen[v] and v ~= seen and v ~= banned then
        seen[v] = true
        n = n + 1
        if kind == "table" then
            for k, x in next, v do
                if type(k) == "string" and banned[k] then error("HOLE: " .. k .. " can be reached", 0) end
                queue[#queue + 1] = k
                queue[#queue + 1] = x
            end
        end
        local ok, env = pcall(getfenv, v)
        if ok and env then queue[#queue + 1] = env end
        local mt = getmetatable(v)
        if mt then queue[#queue + 1] = mt end
    end
end
assert(n > 30)
function process_message() return 0 end
function timer_event() end
