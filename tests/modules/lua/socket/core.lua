-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

-- socket: sinks, sources, names, families, lines with a limit, Unix sockets.

require "os"
require "string"
require "table"
local socket = require "socket"
local ltn12  = require "ltn12"
assert(socket == require "socket.core" or socket._VERSION == require "socket.core"._VERSION)

local function pair()
    local server = assert(socket.bind("127.0.0.1", 0))
    local _, port = server:getsockname()
    local a = assert(socket.connect("127.0.0.1", port))
    local b = assert(server:accept())
    server:close()
    a:settimeout(10)
    b:settimeout(10)
    return a, b
end

local a, b = pair()
assert(a:getfamily() == "inet4" and socket.udp6():getfamily() == "inet6" and socket.unix():getfamily() == "unix")
assert(socket._DATAGRAMSIZE == 65536 and socket._SOCKETINVALID == -1 and socket.BLOCKSIZE == 2048)

-- A sink that keeps the socket open, and one that closes it.
assert(ltn12.pump.all(ltn12.source.string("kept"), socket.sink("keep-open", a)))
assert(ltn12.pump.all(ltn12.source.string(" open"), socket.sink(a)))
local long = string.rep("0123456789", 20000)
assert(ltn12.pump.all(ltn12.source.string(long), socket.sink("close-when-done", a)))
assert(a:send("x") == nil)
-- Sources: some bytes, then the rest.
local parts = {}
assert(ltn12.pump.all(socket.source("by-length", b, 9), (ltn12.sink.table(parts))))
assert(table.concat(parts) == "kept open")
parts = {}
assert(ltn12.pump.all(socket.source("until-closed", b), (ltn12.sink.table(parts))))
assert(table.concat(parts) == long and #parts > 3)
assert(b:send("x") == nil, "the source has closed it")

a, b = pair()
a:send("abc")
a:close()
local source = socket.source("by-length", b, 5)
local chunk, err = source()
assert(chunk == nil and err == "closed", err)
assert(socket.source("by-length", b, 0)() == nil)
assert(socket.source("by-length", b, 0 / 0)() == nil)
local ok
ok, err = pcall(socket.sink, "nothing", b)
assert(not ok and err:find("unknown key (nothing)", 1, true), err)
assert(not pcall(socket.source, "by-length", b))
-- Anything with the methods will do.
local fake = { receive = function(_, n) return nil, "closed", "rest" end, close = function(self) self.closed = true end }
source = socket.source("until-closed", fake)
assert(source() == "rest" and fake.closed and source() == nil)
assert(socket.choose({ x = function(p) return p end })("x", 7) == 7)

-- Lines with a limit.
a, b = pair()
a:send("short\n" .. string.rep("x", 100) .. "\n")
assert(b:receive("*l 50") == "short")
local line, why = b:receive("*l 50")
assert(line == nil and why == "too long", why)
assert(not pcall(b.receive, b, "*x"))

-- Names.
local name, resolved = socket.dns.tohostname("127.0.0.1")
assert(type(name) == "string" and resolved.ip[1] == "127.0.0.1" and resolved.name == name)
assert(socket.dns.getnameinfo("127.0.0.1")[1] == name)
local nothing
nothing, why = socket.dns.tohostname("no such host")
assert(nothing == nil and why == "host not found")

-- A Unix stream.
local path = os.tmpname()
os.remove(path)
local unix = require "socket.unix"
local server = assert(unix())
assert(server:bind(path) and server:listen())
local client = assert(unix.stream())
assert(client:connect(path))
local peer = server:accept()
assert(client:send("over a path\n") == 12 and peer:receive() == "over a path")
client:close()
line, why = peer:receive()
assert(line == nil and why == "closed")
os.remove(path)
