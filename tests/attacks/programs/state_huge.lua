-- attack: preserved state | analysis | either
-- As much state as memory holds, of bytes that take four characters each when they are written.
require "string"
text = string.rep("\0\255\1\2", 900000)
function process_message()
    list = {}
    pcall(function() for i = 1, 100000 do list[i] = i + 0.1 end end)
    return 0
end
