-- attack: reachability | output | either
-- Calls the methods of each kind of object on all the others, and what their metatables show.
local string = require "string"
local lpeg, cjson, zlib, openssl, socket, lfs = require "lpeg", require "cjson", require "zlib", require "openssl", require "socket", require "lfs"
require "rjson" require "circular_buffer" require "hyperloglog" require "bloom_filter" require "cuckoo_filter" require "cuckoo_filter_expire" require "sax"
local _, listing = lfs.dir("/")
local objects = {lpeg.P "a", rjson.parse("{}"), rjson.parse_schema("{}"), circular_buffer.new(2, 1, 1), hyperloglog.new(), bloom_filter.new(2, 0.5), cuckoo_filter.new(5), cuckoo_filter_expire.new(257, 1), sax.window.new(4, 2, 4), sax.word.new("AB", 4),
    require "streaming_algorithms.p2".quantile(0.5), require "streaming_algorithms.matrix".new(2, 2), require "streaming_algorithms.time_series".new(2, 1), require "streaming_algorithms.cm_sketch".new(0.1, 0.1), require "streaming_algorithms.running_stats".new(),
    openssl.digest.new("md5"), openssl.hmac.new("md5", "k"), socket.udp(), socket.tcp(), listing}
local names = {"add", "set", "get", "get_range", "query", "delete", "count", "clear", "merge", "fromstring", "format", "annotate", "get_word", "estimate", "update", "final", "reset", "match", "find", "value", "iter", "remove", "parse", "validate", "make_field", "send", "receive", "close", "next", "settimeout", "pcc", "stats", "avg"}
function process_message()
    for i, a in ipairs(objects) do
        for _, name in ipairs(names) do
            local ok, f = pcall(function() return a[name] end)
            if ok and type(f) == "function" then
                for j, b in ipairs(objects) do
                    if i ~= j and (not pcall(function() return b[name] end) or b[name] ~= f) and name ~= "match" then
                        assert(not pcall(f, b, b, b, b), "HOLE: " .. name .. " of object " .. i .. " took object " .. j)
                    end
                end
                for _, b in ipairs({1, "x", {}, print, false, cjson.null}) do if type(a) ~= "userdata" or name ~= "match" then assert(not pcall(f, b, b, b), "HOLE: " .. name .. " took no object") end end
            end
        end
        local mt = getmetatable(a)
        if type(mt) == "table" then
            for key, f in pairs(mt) do
                for _, b in ipairs(objects) do if type(f) == "function" and b ~= a then pcall(f, b, b) end end
                assert(key ~= "__gc", "HOLE: a finalizer can be called")
            end
        end
        pcall(lpeg.match, a, "x") pcall(cjson.encode, {a}) pcall(inject_payload, "txt", "x", a) pcall(inject_message, {Payload = a, Fields = {a = a}}) pcall(tostring, a) pcall(function() return a == objects[1], a < a, a .. a, #a, a() end)
    end
    objects[1] = objects[1] * 1
    return 0
end
