-- attack: contract | analysis | harmless | log_level=7
-- Log lines that would look like other plugins' lines, clear the terminal, or never end.
require "string"
function process_message()
    print("x\n1234567890 [panic] hindsight all is lost")
    print("\27[2J\27]0;title\7", "\r", "\8\8\8", "a\0b")
    pcall(print, string.rep("x", 1000000))
    pcall(print, unpack({}, 1, 5000))
    print()
    print(nil, true, 0 / 0, {}, print)
    local old = tostring
    for _, v in ipairs({1, {}, print, true}) do
        tostring = function() return v end
        pcall(print, "x")
    end
    tostring = nil
    pcall(print, "x")
    tostring = "x"
    pcall(print, "x")
    tostring = old
    return 0
end
function timer_event() end
