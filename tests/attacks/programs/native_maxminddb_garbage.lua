-- attack: network and files | output | either
-- Databases that are devices, folders, scripts, and files made by hand whose pointers lead in circles.
local maxminddb = require "maxminddb"
local city = require "geoip.city"
require "io"
require "os"
local string = require "string"
local marker = "\171\205\239MaxMind.com"
local meta = "\231\75binary_format_major_version\161\2"
local bodies = {"", marker, string.rep("\0", 100) .. marker .. string.rep("\32\0", 20000), string.rep("\255", 1000) .. marker .. "\225\66ip\32\0", marker .. string.rep("\255\255\255\255", 1000), marker .. string.rep("\225\65a", 30000), string.rep(marker, 1000), marker .. "\32\0", marker .. "\40\0\0", marker .. meta}
local failed = 0
for _, body in ipairs(bodies) do
    local name = os.tmpname()
    local file = io.open(name, "wb")
    file:write(body)
    file:close()
    local ok, db = pcall(maxminddb.open, name)
    if ok then pcall(db.lookup, db, "192.0.2.1") pcall(db.lookup, db, "::1") else failed = failed + 1 end
    pcall(city.open, name)
    os.remove(name)
end
function process_message()
    assert(failed == #bodies, "HOLE: opened what is no database")
    for _, path in ipairs({"/dev/zero", "/proc/self/mem", "/proc/kmsg", "/", "", "a\0b", "attack.lua", "/dev/stdin"}) do
        assert(not pcall(maxminddb.open, path), "HOLE: opened " .. path)
        local ok, db = pcall(city.open, path)
        assert(not ok or db == nil, "HOLE: opened " .. path)
    end
    return 0
end
