-- attack: json | output | either
-- What cannot be written, what changes while it is written, and texts with garbage at every place.
local cjson = require "cjson"
local string, math = require "string", require "math"
require "coroutine"
local hostile = setmetatable({1, 2, a = 3}, {__index = error, __len = error, __pairs = error, __tostring = error, __gc = error})
local good = '{"a":[1,2.5,"x\\n\\u0041",true,false,null,{"b":{}}],"c":"\\ud83d\\ude00"}'
function process_message()
    for _, v in ipairs({print, coroutine.create(function() end), io, cjson, cjson.null, hostile, {hostile}, {[hostile] = 1}, {[print] = 1}, {[true] = 1}, {[0.5] = 1}, {print}, string.rep("\1\127\"\\", 20000), "\237\160\128", "\0", 0/0, -0, {[""] = ""}}) do
        pcall(cjson.encode, v)
    end
    for _ = 1, 500 do
        local a, b = math.random(#good), math.random(#good)
        pcall(cjson.decode, string.sub(good, 1, a - 1) .. string.char(math.random(0, 255)) .. string.sub(good, a + 1))
        pcall(cjson.decode, string.sub(good, 1, a) .. string.sub(good, b))
    end
    for _, text in ipairs({"", "\0", "\254\255\0[", "[\0\0\0", '"\\ud800"', '"\\ud800\\ud800"', '"\\udc00"', '"\\u000"', '"\\u', '"\\', '"', '{"', '{"a"', '{"a":', '{"a":1', "[1", "[1,", "nul", "tru", "]", "}", ",", ":"}) do pcall(cjson.decode, text) end
    cjson.decode = nil
    cjson.null = 5
    return 0
end
