-- attack: inject | input | harmless
-- Injects strings that are no messages: none may pass.
require "string"
require "math"
function process_message()
    local good = "\10\16" .. string.rep("u", 16) .. "\16\1"
    inject_message(good)
    for n = 0, #good - 1 do assert(not pcall(inject_message, string.sub(good, 1, n)), "HOLE: a cut message passed") end
    for _ = 1, 3000 do
        local at, byte = math.random(#good), math.random(0, 255)
        pcall(inject_message, string.sub(good, 1, at - 1) .. string.char(byte) .. string.sub(good, at + 1) .. string.char(math.random(0, 255), math.random(0, 255)))
    end
    for _, tail in ipairs({"\82\255\255\255\255\15", "\82\2\10\255", "\82\4\10\2\8\0", "\255\255\255\255\255\255\255\255\255\255\255", "\8", "\82\255\255\255\255\255\255\255\255\127", "\16\255\255\255\255\255\255\255\255\255\1", "\58\6\18\4\1\1\1\1"}) do pcall(inject_message, good .. tail) end
    return 0
end
function timer_event() end
