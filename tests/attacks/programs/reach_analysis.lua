-- attack: reachability | analysis | harmless
-- Walks everything that can be reached from the globals and looks for what must not be there.
require "string"
require "table"
require "math"
require "os"
local banned = {load = 1, loadstring = 1, loadfile = 1, dofile = 1, newproxy = 1, dump = 1, loadlib = 1, sethook = 1, gethook = 1, getregistry = 1, getupvalue = 1, setupvalue = 1, upvaluejoin = 1,
    cdef = 1, cast = 1, execute = 1, popen = 1, exit = 1, ffi = 1, jit = 1, debug = 1, getinfo = 1, getlocal = 1, setlocal = 1, collectgarbage = 1, setlocale = 1, tmpname = 1, getenv = 1, open = 1, lines = 1}
local seen, queue = {}, {_G, getmetatable(""), getfenv(0), getfenv(1), getmetatable(_G), package, read_message("Payload", 0, 0, true)}
local function look()
    local n = 0
    while #queue > 0 do
        local v = table.remove(queue)
        local kind = type(v)
        if (kind == "table" or kind == "function" or kind == "userdata") and not seen[v] and v ~= seen then
            seen[v] = true
            n = n + 1
            if kind == "table" then
                for k, x in next, v do
                    if type(k) == "string" and banned[k] and v ~= banned then error("HOLE: " .. k .. " can be reached", 0) end
                    queue[#queue + 1] = k
                    queue[#queue + 1] = x
                end
            end
            if kind == "function" then
                local ok, env = pcall(getfenv, v)
                if ok then queue[#queue + 1] = env end
            end
            local mt = getmetatable(v)
            if mt then queue[#queue + 1] = mt end
        end
    end
    return n
end
local first = look()
assert(first > 30, "walked only " .. first)
function process_message()
    queue = {read_message("Payload", 0, 0, true), getfenv(1)}
    look()
    return 0
end
function timer_event() end
