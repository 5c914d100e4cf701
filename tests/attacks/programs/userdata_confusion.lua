-- attack: reachability | output | harmless
-- Calls the methods of one kind of userdata on another kind.
require "io"
require "string"
local matcher = create_message_matcher("TRUE")
function process_message()
    local zc = read_message("Payload", 0, 0, true)
    local file = io.stdout
    local objects = {matcher, zc, file, 1, "x", {}, print, false}
    for _, a in ipairs(objects) do
        for _, b in ipairs(objects) do
            if a ~= b and type(a) == "userdata" then
                for _, method in ipairs({"eval", "close", "read", "write", "seek", "flush", "lines", "setvbuf", "find_message", "read_message", "decode_message"}) do
                    local ok, f = pcall(function() return a[method] end)
                    if ok and type(f) == "function" and not (a == file and b == file) then
                        assert(not pcall(f, b), "HOLE: " .. method .. " accepted another object")
                    end
                end
                local mt = getmetatable(a)
                if type(mt) == "table" then
                    for _, f in pairs(mt) do if type(f) == "function" then pcall(f, b) end end
                end
            end
        end
        pcall(io.write, a ~= zc and matcher or nil) pcall(io.input, a) pcall(io.close, a ~= file and a or nil) pcall(io.type, a) pcall(decode_message, a) pcall(update_checkpoint, a)
    end
    return 0
end
function timer_event() end
