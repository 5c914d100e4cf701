-- attack: addresses | output | harmless
-- Addresses of files, coroutines and the host's own objects.
require "string"
require "io"
require "coroutine"
local function check(s)
    s = tostring(s)
    assert(not string.find(s, "0x%x%x%x%x%x%x"), "HOLE: " .. s)
end
function process_message(sequence)
    for _, v in ipairs({io.stdout, coroutine.create(function() end), create_message_matcher("TRUE"), sequence}) do
        check(v)
        check(string.format("%s", v))
        local ok, s = pcall(string.format, "%p", v)
        check(s)
    end
    return 0
end
function timer_event() end
