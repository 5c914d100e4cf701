-- attack: network and files | output | either
-- Sockets with absurd addresses, sizes, times and orders of calls, and after they were closed.
local socket = require "socket"
require "socket.unix"
local string = require "string"
local odd = {-1, 0, 1e18, 2^16, 2^31, 0/0, 1/0, -1/0, "", "x", "a\0b", string.rep("h", 100000), {}, true, print}
local methods = {"connect", "bind", "listen", "accept", "send", "receive", "shutdown", "setstats", "getstats", "dirty", "setsockname", "setpeername", "sendto", "receivefrom", "settimeout", "gettimeout", "setoption", "getoption", "getsockname", "getpeername", "getfamily", "getfd"}
function process_message()
    pcall(socket.sleep, -1) pcall(socket.sleep, -1/0) pcall(socket.select, {}, {}, 0) pcall(socket.select, {1, {}, print}, {true}, 0) pcall(socket.select, nil, nil, 0)
    for _, make in ipairs({socket.tcp, socket.udp, socket.tcp6, socket.udp6}) do
        for _, method in ipairs(methods) do
            for _, a in ipairs(odd) do
                local s = make()
                if s and s[method] then
                    s:settimeout(0)
                    pcall(s[method], s, a) s:settimeout(0)
                    if method ~= "connect" and method ~= "setpeername" then pcall(s[method], s, a, a) pcall(s[method], s, "127.0.0.1", a) pcall(s[method], s, 1, 1, a) end
                    s:close()
                    pcall(s[method], s, a) pcall(s.close, s)
                end
            end
        end
    end
    local server = assert(socket.bind("127.0.0.1", 0))
    local _, port = server:getsockname()
    local client = assert(socket.connect("127.0.0.1", port))
    local peer = server:accept()
    client:settimeout(0) peer:settimeout(0)
    for _, n in ipairs({0, -1, 1e18, 2^31, 0/0, 1/0, "*a", "*l", "*x", ""}) do pcall(peer.receive, peer, n) pcall(peer.receive, peer, n, string.rep("p", 100000)) end
    for _, i in ipairs({0, -1, 1e18, -1e18, 0/0}) do pcall(client.send, client, "hello", i, i) pcall(client.send, client, "hello", 1, i) end
    pcall(client.send, client, string.rep("x", 3000000))
    server:close() client:close() peer:close()
    return 0
end
