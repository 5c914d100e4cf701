-- attack: json | analysis | either
-- Numbers with a hundred thousand digits and exponents, and in the forms that C reads.
local cjson = require "cjson"
local string, math = require "string", require "math"
local digits = string.rep("9", 100000)
local texts = {digits, "-" .. digits, "0." .. digits, "1e" .. digits, "1e-" .. digits, digits .. "e-100000", "0." .. string.rep("0", 100000) .. "1e100001", "0x" .. digits, "0x1p" .. digits, "1e400", "-1e400", "1e-400", "5e-324", "0x", "-", "+", ".", "1.", "1e", "1e+",
    "nan", "-nan", "inf", "-infinity", "NaN(123)", string.rep("-", 1000), "00000", "0x1.8p1", "1_000", "2.2250738585072012e-308", "9007199254740993", "18446744073709551616"}
function process_message()
    for _, text in ipairs(texts) do
        pcall(cjson.decode, text)
        pcall(cjson.decode, "[" .. text .. "]")
        pcall(cjson.decode, '{"a":' .. text .. "}")
    end
    for _, n in ipairs({0/0, 1/0, -1/0, 1e308, 5e-324, -0, 2^53, 2^64}) do
        for _, on in ipairs({true, false, "null", "off"}) do pcall(cjson.encode_invalid_numbers, on) pcall(cjson.encode, {n}) end
        for _, p in ipairs({1, 14, 17, 0, 18, 1e9, -1, 0/0}) do pcall(cjson.encode_number_precision, p) pcall(cjson.encode, {n}) end
    end
    return 0
end
function timer_event() end
