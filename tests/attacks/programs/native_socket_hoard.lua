-- attack: network and files | output | contained: descriptor_limit
-- Opens sockets until there are no more descriptors for anybody.
local socket = require "socket"
local keep = {}
function process_message()
    for _ = 1, 100000 do
        local ok, s = pcall(socket.udp)
        if not ok then
            assert(#keep <= 256, "HOLE: " .. #keep .. " sockets")
            error(s, 0)
        end
        assert(s, "HOLE: the process has no descriptors left")
        keep[#keep + 1] = s
    end
    return 0
end
