-- attack: memory | input | contained: not enough memory / instruction_limit exceeded / too many
-- Stream readers hold buffers outside of Lua's heap: those must count as well.
require "string"
local keep = {}
local data = "\30\5\8\254\255\3\31" .. string.rep("x", 60000)
function process_message()
    while true do
        local reader = create_stream_reader("r" .. #keep)
        reader:find_message(data)
        keep[#keep + 1] = reader
    end
end
