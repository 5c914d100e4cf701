-- attack: json | analysis | either
-- Texts and tables nested as deep as memory allows, with the limits of depth off.
local cjson = require "cjson"
local string, math = require "string", require "math"
for _, n in ipairs({1e9, 2^31 - 1, 2^31, 1e18, math.huge, 0/0, 0, -1}) do
    pcall(cjson.decode_max_depth, n)
    pcall(cjson.encode_max_depth, n)
end
pcall(cjson.decode_max_depth, 2^31 - 1)
pcall(cjson.encode_max_depth, 2^31 - 1)
function process_message()
    for _, pair in ipairs({{"[", "]"}, {'{"a":', "}"}, {'[1,{"b":[', "]}]"}}) do
        for _, n in ipairs({1000, 8000, 100000, 1000000}) do
            pcall(cjson.decode, string.rep(pair[1], n) .. "1" .. string.rep(pair[2], n))
            pcall(cjson.decode, string.rep(pair[1], n))
        end
    end
    local t = {}
    for _ = 1, 50000 do t = {t} end
    pcall(cjson.encode, t)
    t = {}
    for _ = 1, 50000 do t = {key = t} end
    pcall(cjson.encode, t)
    return 0
end
function timer_event() end
