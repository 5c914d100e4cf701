-- attack: codecs | analysis | harmless
-- decode_message of mutated messages: any answer but a crash.
require "string"
require "math"
function process_message()
    local raw = read_message("raw")
    for _ = 1, 1500 do
        local a, b = math.random(#raw), math.random(#raw)
        pcall(decode_message, string.sub(raw, 1, a - 1) .. string.char(math.random(0, 255)) .. string.sub(raw, a + 1))
        pcall(decode_message, string.sub(raw, 1, a) .. string.sub(raw, b))
        pcall(decode_message, string.sub(raw, a))
    end
    for _, v in ipairs({"", "x", string.rep("\255", 60000), string.rep("\82\0", 30000), string.rep("\82\2\10\0", 15000), 1, true, {}, print}) do pcall(decode_message, v) end
    pcall(decode_message) pcall(decode_message, raw, raw)
    return 0
end
function timer_event() end
