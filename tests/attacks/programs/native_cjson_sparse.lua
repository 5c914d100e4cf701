-- attack: json | analysis | either
-- Tables whose largest key is absurd, with every setting for sparse arrays.
local cjson = require "cjson"
local math = require "math"
function process_message()
    for _, setting in ipairs({{false, 2, 10}, {true, 2, 10}, {false, 0, 0}, {true, 0, 0}, {false, 2^31 - 1, 2^31 - 1}, {true, 1, 0}, {false, 0/0, 0/0}, {false, -1, -1}, {false, 1e18, 1e18}}) do
        pcall(cjson.encode_sparse_array, setting[1], setting[2], setting[3])
        for _, key in ipairs({2^20, 1e9, 2^31 - 1, 2^31, 2^32, 2^53, 1e18, 1e300, math.huge, -1, 0, 0.5}) do
            pcall(cjson.encode, {[key] = 1})
            pcall(cjson.encode, {1, [key] = 1})
            pcall(cjson.encode, {a = 1, [key] = 1})
        end
    end
    return 0
end
function timer_event() end
