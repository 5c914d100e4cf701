-- attack: addresses | output | harmless
-- Addresses of files, coroutines and the host's own objects.
require "string"
require "io"
require "coroutine"
local function check(s)
    s = tostring(s)
    -- Objects are numbered from 1 on; an address is far larger.
    for digits in string.gmatch(s, "0x(%x+)") do assert(tonumber(digits, 16) < 100000, "HOLE: " .. s) end
end
function process_message(sequence)
    for _, v in ipairs({io.stdout, coroutine.create(function() end), create_message_matcher("TRUE"), sequence}) do
        check(v)
        local ok, s = pcall(string.format, "%s", v)
        check(s)
        local ok, s = pcall(string.format, "%p", v)
        check(s)
    end
    return 0
end
function timer_event() end
