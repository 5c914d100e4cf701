-- attack: addresses | analysis | harmless | log_level=7
-- Addresses of objects would tell where things lie in memory.
require "string"
local function check(s)
    s = tostring(s)
    -- Objects are numbered from 1 on; an address is far larger.
    for digits in string.gmatch(s, "0x(%x+)") do assert(tonumber(digits, 16) < 100000, "HOLE: " .. s) end
end
function process_message()
    local zc = read_message("Payload", 0, 0, true)
    for _, v in ipairs({{}, function() end, print, read_message, string.upper, setmetatable({}, {}), _G, getmetatable(zc) or 0}) do
        check(v)
        for _, f in ipairs({"%s", "%q", "%p", "%10s", "%a", "%x", "%d"}) do
            local ok, s = pcall(string.format, f, v)
            check(s)
        end
        for _, f in ipairs({error, string.rep, tonumber, setmetatable, unpack, require, read_config, add_to_payload, inject_message}) do
            local ok, e = pcall(f, v, v, v)
            if not ok and type(e) == "string" then check(e) end
        end
        print(v)
        local ok, e = pcall(function() return v .. "x" end)
        if not ok then check(e) end
        ok, e = pcall(function() return v + 1 end)
        if not ok then check(e) end
    end
    return 0
end
function timer_event() end
