-- attack: network and files | input | either
-- Holds everything that has a descriptor, in turn, and closes what it holds twice; none may escape the count.
require "io"
require "string"
local lfs = require "lfs"
local socket = require "socket"
local gzfile = require "gzfile"
local append_file = require "foresight.append_file"
local LIMIT = 256
local server, port -- new for each message: nobody accepts, so its queue fills

local ways = {
    function() return assert(io.open("/dev/null")) end,
    function() return assert(io.tmpfile()) end,
    function() return assert(io.popen("exit 0")) end,
    function() return assert(append_file.open("/dev/null")) end,
    function() return assert(gzfile.open("/etc/passwd")) end,
    function() return select(2, lfs.dir("/")) end,
    function() return assert(socket.tcp()) end,
    function() return assert(server and socket.connect("127.0.0.1", port)) end,
}

local function fill(way, keep)
    for _ = 1, 2 * LIMIT do
        local ok, object = pcall(way)
        if not ok then
            -- What has large buffers comes to the limit of memory first.
            if object ~= "not enough memory" then
                assert(string.find(object, "descriptor_limit", 1, true), "HOLE: " .. object)
                assert(#keep > LIMIT - 16, "HOLE: counted too often: " .. #keep)
            end
            return
        end
        keep[#keep + 1] = object
    end
    error("HOLE: " .. #keep .. " are open")
end

function process_message()
    server = assert(socket.bind("127.0.0.1", 0, 4096))
    port = select(2, server:getsockname())
    for _, way in ipairs(ways) do
        for _ = 1, 2 do
            local keep = {}
            fill(way, keep)
            assert(#keep < LIMIT, "HOLE: " .. #keep)
            for _, object in ipairs(keep) do
                object:close()
                pcall(object.close, object)
            end
        end
        -- What nobody holds is closed by itself.
        for _ = 1, 2 * LIMIT do way() end
    end
    return 0
end
