-- attack: data structures | analysis | either
-- Every method of every structure with values that mean nothing, and merges of what does not belong together.
local string, math = require "string", require "math"
require "sax"
local sa = {}
for _, name in ipairs({"cm_sketch", "matrix", "p2", "running_stats", "time_series"}) do sa[name] = require("streaming_algorithms." .. name) end
local methods = {"add", "set", "get", "get_row", "clear_row", "sum", "pcc", "merge", "get_configuration", "fromstring", "get_range", "stats", "matrix_profile", "current_time", "estimate", "count", "clear", "avg", "variance", "sd", "usd", "update", "point_query", "item_count", "unique_count", "get_word"}
local odd = {-1e300, -1e18, -1, 0, 0.5, 1, 2, 2^31, 2^32, 2^53, 2^64, 1e300, 1/0, -1/0, 0/0, "x", "", {}, {0/0, 1/0, "x", {}}, true, print, string.rep("x", 100000)}
function process_message()
    local objects = {sa.cm_sketch.new(0.1, 0.1), sa.matrix.new(2, 2), sa.matrix.new(2, 3, "float"), sa.p2.quantile(0.5), sa.p2.histogram(4), sa.running_stats.new(), sa.time_series.new(4, 1), sa.time_series.new(2, 1e9), sax.window.new(4, 2, 4), sax.word.new("AB", 4)}
    for _, o in ipairs(objects) do
        for _, name in ipairs(methods) do
            local found, f = pcall(function() return o[name] end)
            if found and f then
                for _, a in ipairs(odd) do pcall(f, o, a) pcall(f, o, 1, a) pcall(f, o, a, 1) pcall(f, o, 1, 1, a) pcall(f, o, a, a, a, a) pcall(f, o, nil, 4, 4, a) end
                for _, other in ipairs(objects) do pcall(f, o, other) pcall(f, o, other, "set") end
            end
        end
        local ok, bytes = pcall(tostring, o)
        for _ = 1, 30 do
            local at = math.random(#bytes)
            if o.fromstring then pcall(o.fromstring, o, string.sub(bytes, 1, at - 1) .. string.char(math.random(0, 255)) .. string.sub(bytes, at + 1)) end
        end
        pcall(tostring, o)
    end
    pcall(sax.mindist, objects[9], objects[10]) pcall(sax.mindist, objects[1], objects[2]) pcall(sax.mindist, sax.word.new("####", 4), objects[9])
    return 0
end
function timer_event() end
