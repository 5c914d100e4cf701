-- attack: cdata | analysis | harmless | injects=100000, log_level=7
-- LuaJIT's 64-bit and complex literals wake its foreign function interface: nothing of it may be reached through them.
require "string"
require "table"
require "math"
local values = {1LL, -1LL, 0LL, 1ULL, -9223372036854775808LL, 18446744073709551615ULL, 1i, 0x7fffffffffffffffLL}
function process_message()
    for _, v in ipairs(values) do
        assert(getmetatable(v) == nil or type(getmetatable(v)) ~= "table", "HOLE: the metatable of cdata")
        for _, name in ipairs({"new", "cdef", "C", "cast", "load", "x", "re", "im", 1, "__gc", "typeof"}) do
            local ok, x = pcall(function() return v[name] end)
            assert(not ok or type(x) == "number", "HOLE: cdata gave " .. tostring(name))
            pcall(function() v[name] = 1 end)
        end
        for _, f in ipairs({
            function() return v() end, function() return -v end, function() return #v end, function() return v .. "x" end, function() local t = {[v] = 1} return t[v] end,
            function() for i = v, v do end end, function() for a in v do end end, function() return v == nil end,
            function() return setmetatable({}, v) end, function() return setmetatable(v, {}) end, function() return setfenv(v, {}) end, function() return getfenv(v) end,
        }) do pcall(f) end
        for _, w in ipairs(values) do
            for _, f in ipairs({function() return v / w end, function() return v % w end, function() return v ^ w end, function() return v * w end, function() return v < w end, function() return v == w end}) do pcall(f) end
        end
        for _, lib in ipairs({_G, string, table, math}) do
            for name, f in pairs(lib) do
                if type(f) == "function" and name ~= "process_message" and name ~= "timer_event" and name ~= "setfenv" and name ~= "module" and name ~= "rawset" then
                    pcall(f, v) pcall(f, v, v) pcall(f, "x", v) pcall(f, {}, v) pcall(f, {1, 2}, v, v) pcall(f, "x", v, v)
                end
            end
        end
        for _, m in ipairs({{Payload = v}, {Timestamp = v}, {Pid = v}, {Fields = {x = v}}, {Fields = {x = {v, v}}}, {Fields = {x = {value = v, value_type = v}}}, {Fields = {[v] = 1}}}) do pcall(inject_message, m) end
    end
    assert(_G.ffi == nil and not pcall(require, "ffi"), "HOLE: ffi")
    return 0
end
function timer_event() end
