-- attack: network and files | output | either
-- Opens sockets until there are no more descriptors for anybody.
local socket = require "socket"
local keep = {}
function process_message()
    for _ = 1, 100000 do
        local ok, s = pcall(socket.udp)
        if not ok or not s then break end
        keep[#keep + 1] = s
    end
    return 0
end
