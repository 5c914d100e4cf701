-- attack: pollution | analysis | harmless
-- Writes into every module and every metatable that can be reached; the neighbours use the same modules.
local names = {"lpeg", "cjson", "circular_buffer", "hyperloglog", "bloom_filter", "cuckoo_filter", "cuckoo_filter_expire", "sax", "xxhash", "struct", "bit32", "zlib", "snappy", "zstd", "openssl", "timezone"}
for _, name in ipairs({"cm_sketch", "matrix", "p2", "running_stats", "time_series"}) do names[#names + 1] = "streaming_algorithms." .. name end
local objects, done = {}, false
function process_message()
    if done then return 0 end
    done = true
    for _, name in ipairs(names) do
        local module = require(name)
        if module.new then local ok, o = pcall(module.new, 300, 2, 60) if ok then objects[#objects + 1] = o end end
        if module.P then objects[#objects + 1] = module.P "a" end
        if module.window then objects[#objects + 1] = module.window.new(4, 2, 4) end
        for key in pairs(module) do module[key] = error end
        pcall(setmetatable, module, {__index = error, __newindex = error, __call = error})
        assert(require(name) == module)
    end
    for _, o in ipairs(objects) do
        local mt = getmetatable(o)
        if type(mt) == "table" then for key in pairs(mt) do pcall(rawset, mt, key, error) pcall(function() mt[key] = nil end) end pcall(rawset, mt, "__gc", error) pcall(rawset, mt, "__index", {}) end
        pcall(setmetatable, o, {})
        pcall(function() o.add = error end)
    end
    return 0
end
function timer_event() end
