-- attack: network and files | output | either
-- Folders without end and files without sense, and listings used after they were closed.
local lfs = require "lfs"
local string = require "string"
local odd = {"", "\0", "a\0b", string.rep("a/", 50000), "/proc/self/fd", "/dev/zero", "/proc/self/mem", 1, 0/0, {}, true}
function process_message()
    for _, path in ipairs(odd) do
        for _, name in ipairs({"attributes", "symlinkattributes", "dir", "rmdir"}) do pcall(lfs[name], path) pcall(lfs[name], path, path) end
        pcall(lfs.attributes, ".", path)
    end
    pcall(lfs.attributes, ".", setmetatable({}, {__newindex = error}))
    for _, t in ipairs({0/0, 1/0, -1e18, 1e18}) do pcall(lfs.touch, "nothing here", t, t) end
    local keep = {}
    for i = 1, 3000 do
        local ok, iterate, listing = pcall(lfs.dir, "/proc")
        if not ok then break end
        keep[i] = listing
    end
    for _, listing in ipairs(keep) do listing:close() pcall(listing.next, listing) pcall(listing.close, listing) end
    for name in lfs.dir("/proc/self/task") do assert(type(name) == "string") end
    return 0
end
